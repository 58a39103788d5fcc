// Asking back before something is done.

import { byId, el, setText, show } from './dom.js';

/**
 * Shows what will happen and waits for the answer.
 *
 * @returns what was filled in, by the names of the fields, or null if the answer was no
 */
export function ask({ title, text, fields, yes }) {
  const dialog = byId('ask');
  setText(byId('ask-title'), title);
  setText(byId('ask-yes'), yes);
  const inputs = fields.map(field => ({
    field, input: field.lines ? el('textarea', { id: `ask-${field.name}`, required: true, rows: 3, spellcheck: 'false' })
      : el('input', { id: `ask-${field.name}`, required: true, autocomplete: 'off' }),
  }));
  show(byId('ask-body'), text.map(sentence => el('p', {}, sentence)),
    inputs.map(({ field, input }) => el('p', {}, el('label', { for: input.id }, field.label), input)));
  return new Promise(resolve => {
    const no = () => dialog.close('no');
    byId('ask-no').addEventListener('click', no);
    dialog.returnValue = 'no';
    dialog.addEventListener('close', () => {
      byId('ask-no').removeEventListener('click', no);
      resolve(dialog.returnValue !== 'yes' ? null : Object.fromEntries(inputs.map(({ field, input }) => [field.name,
        field.lines ? input.value.split('\n').map(line => line.trim()).filter(line => line !== '') : input.value])));
    }, { once: true });
    dialog.showModal();
    // The harmless answer is the one that a hasty return key gives.
    (inputs[0]?.input ?? byId('ask-no')).focus();
  });
}
