// What the page is made of: elements from data. Text only ever becomes `textContent`.

export const ICONS = { pending: ['Waiting to be sent', 'M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 7v5l3 2'], delivered: ['Delivered', 'M5 13l4 4L19 7'], private: ['', 'M4 5h16v11H9l-5 4z'] };

export function create(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
export function icon(label, path) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), line = document.createElementNS(svg.namespaceURI, 'path');
  const attributes = label ? { viewBox: '0 0 24 24', role: 'img', 'aria-label': label } : { viewBox: '0 0 24 24', 'aria-hidden': 'true' };
  Object.entries(attributes).forEach(([name, value]) => svg.setAttribute(name, value));
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
export function initials(name) { return name.split(/\s+/).slice(0, 2).map(word => [...word][0] ?? '').join('').toUpperCase(); }
export function hueOf(name) { return [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 3600, 7) / 10; }
export function avatar(name) {
  const element = create('span', { className: 'avatar', textContent: initials(name) });
  element.setAttribute('aria-hidden', 'true');
  element.style.setProperty('--hue', hueOf(name));
  return element;
}
/** A message: an announcement if it is `loud`, private if it has a `note` on who reads it. */
export function messageElement({ text, user, own = false, loud = false, note = '' }) {
  const author = create('p', { className: 'author', textContent: note ? `${user.name} ${note}` : user.name });
  if (loud) author.textContent = `Announcement by ${own ? 'you' : user.name}`;
  if (own && note) author.textContent = note[0].toUpperCase() + note.slice(1);
  const meta = create('p', { className: 'meta' }), words = create('p', { className: 'text', textContent: text });
  words.dataset.testid = 'text';
  const element = create('div', { className: `message fresh${own ? ' mine' : ''}${note ? ' private' : ''}${loud ? ' loud' : ''}` },
    avatar(user.name), create('div', { className: 'bubble' }, author, words, meta));
  element.style.setProperty('--hue', hueOf(user.name));
  Object.assign(element.dataset, { testid: 'message', author: (own ? 'me' : user.id) + note + loud });
  return element;
}
