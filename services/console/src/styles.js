// Style sheets that only some views need. The first view does not wait for them.

const loading = new Map();

/** Loads style sheets, in this order. Resolves when they apply; a view without styles is better than none. */
export const needStyles = (...names) =>
  Promise.all(
    names.map((name) => {
      if (!loading.has(name)) loading.set(name, append(name));
      return loading.get(name);
    }),
  );

function append(name) {
  const link = Object.assign(document.createElement('link'), {
    rel: 'stylesheet',
    href: `styles/${name}.css`,
  });
  document.head.append(link);
  return new Promise((resolve) => {
    link.onload = resolve;
    link.onerror = () => {
      loading.delete(name);
      link.remove();
      resolve();
    };
  });
}
