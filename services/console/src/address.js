// Addresses of views. A view imports this file, not the router, which imports all views.

export function address(path, query) {
  const text = new URLSearchParams(query).toString();
  return `#${path}${text ? `?${text}` : ''}`;
}

export function go(path, query, { replace = false } = {}) {
  const target = address(path, query);
  if (replace) {
    history.replaceState(null, '', target);
    dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = target;
  }
}
