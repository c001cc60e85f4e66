// Builds elements. Text always becomes a text node, so text from outside is never markup.

const SVG = 'http://www.w3.org/2000/svg';

/** `h('p', {class: 'note', on: {click}}, 'text', child)`; children that are null or false are omitted. */
export function h(tag, props, ...children) {
  return build(document.createElement(tag), props, children);
}

export function svg(tag, props, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

function build(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) set(element, name, value);
  element.append(...nodes(children));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined) return;
  if (name === 'on') {
    for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
  } else if (name === 'data') {
    Object.assign(element.dataset, value);
  } else if (name === 'value' || name === 'checked' || name === 'indeterminate') {
    element[name] = value;
  } else if (typeof value === 'boolean' && !name.startsWith('aria-')) {
    element.toggleAttribute(name, value);
  } else {
    element.setAttribute(name, value);
  }
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(child)));
}

/** Replaces the children of an element. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

let ids = 0;

/** Returns a new id, for labels to refer to. */
export const newId = (prefix) => `${prefix}-${++ids}`;
