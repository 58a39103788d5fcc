// Elements are made here and nowhere from markup: a text from a guest, a peer or a file stays text.

const SVG = 'http://www.w3.org/2000/svg';

/** The element of the page with this id. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) {
    throw new Error(`the page lacks #${id}`);
  }
  return element;
}

/** A new element; properties of the form on... are listeners, others attributes, false and null are left out. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (typeof value === 'function') {
      element.addEventListener(key.slice(2), value);
    } else {
      element.setAttribute(key, value === true ? '' : String(value));
    }
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined));
  return element;
}

/** Changes the text only if it is another one, so that screen readers and selections are not disturbed. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Puts the children in place of what was there. */
export function show(element, ...children) {
  element.replaceChildren(...children.flat().filter(child => child !== null && child !== undefined));
}

/** True when what is drawn from this value last time is still right; remembers the value. */
export function unchanged(element, value) {
  const text = JSON.stringify(value);
  if (element.shownValue === text) {
    return true;
  }
  element.shownValue = text;
  return false;
}
