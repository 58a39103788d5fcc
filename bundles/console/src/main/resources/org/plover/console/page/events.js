// The log of what happened, newest first.

import { byId, el, setText, show } from './dom.js';
import { eventKind } from './words.js';

const ROWS_MAX = 200;

export class EventLog {
  constructor() {
    this.history = null;
    this.kinds = new Set();
    byId('event-text').addEventListener('input', () => this.draw());
    byId('event-kind').addEventListener('change', () => this.draw());
    show(byId('event-kind'), el('option', { value: '' }, 'all'));
  }

  use(history) {
    this.history = history;
    this.draw();
  }

  draw() {
    if (!this.history) {
      return;
    }
    const happened = this.history.happened();
    for (const { kind } of happened) {
      if (!this.kinds.has(kind)) {
        this.kinds.add(kind);
        byId('event-kind').append(el('option', { value: kind }, eventKind(kind).word));
      }
    }
    const text = byId('event-text').value.trim().toLowerCase();
    const kind = byId('event-kind').value;
    const fitting = happened.filter(event => (kind === '' || event.kind === kind)
      && (text === '' || event.text.toLowerCase().includes(text)));
    show(byId('event-list'), fitting.slice(-ROWS_MAX).reverse().map(row));
    const all = happened.length;
    setText(byId('event-count'), all === 0 ? 'Nothing has happened since this appliance was started.'
      : `${Math.min(fitting.length, ROWS_MAX)} of ${all} shown.`);
  }
}

function row(event) {
  const kind = eventKind(event.kind);
  const when = new Date(event.atMillis);
  return el('li', {},
    el('time', { datetime: when.toISOString(), title: when.toString() }, when.toLocaleString('en-GB', { dateStyle: 'short', timeStyle: 'medium' })),
    el('span', { class: `kind ${kind.tone}` }, kind.mark ? `${kind.mark} ${kind.word}` : kind.word),
    el('span', { class: 'what' }, event.text));
}
