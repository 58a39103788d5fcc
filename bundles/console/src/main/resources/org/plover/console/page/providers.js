// The parts that another one may take the place of: which are installed, which is in use, and swapping them.

import * as api from './api.js';
import { ask } from './ask.js';
import { byId, el, show, unchanged } from './dom.js';

/** What swapping means is said by the key's own help; the key, if there is one, by the API. */
const KINDS = [
  { kind: 'hasher', text: 'Page hasher', inUse: s => s.hasher },
  { kind: 'policy', text: 'Sync policy', inUse: s => s.policy },
  { kind: 'transport', text: 'Transport', inUse: s => s.transport },
  { kind: 'consensus', text: 'Consensus' },
  { kind: 'gate', text: 'Output gate' },
];

export class Providers {
  constructor(settings, onApplied) {
    this.settings = settings;
    this.onApplied = onApplied;
    this.installed = [];
    this.said = {};
  }

  async load() {
    this.installed = await api.providers();
  }

  update(status, me) {
    const list = byId('provider-list');
    const configuration = this.settings.ofVm(status.vm);
    const keys = configuration?.settings.map(setting => setting.key) ?? [];
    if (unchanged(list, [this.installed, status.vm, status.hasher, status.policy, status.transport, me.role, keys, this.said])) {
      return;
    }
    show(list, KINDS.map(kind => this.part(kind, status, me, configuration)));
  }

  part(kind, status, me, configuration) {
    const ids = [...new Set(this.installed.filter(p => p.kind === kind.kind).map(p => p.id))];
    const inUse = kind.inUse?.(status) ?? (ids.length === 1 ? ids[0] : '');
    const key = this.installed.find(p => p.kind === kind.kind)?.setting;
    const choice = key ? configuration?.settings.find(setting => setting.key === key) : undefined;
    const why = ids.length < 2 ? 'no other is installed'
      : !choice ? 'cannot be swapped while it runs'
        : !api.covers(me.role, 'administrator') ? 'swapping needs the role administrator' : null;
    const id = `part-${kind.kind}`;
    const select = el('select', { id, disabled: why !== null },
      [...new Set([...ids, inUse])].filter(Boolean).map(p => el('option', { value: p, selected: p === inUse }, p === inUse ? `${p} (in use)` : p)));
    const swap = why === null ? el('button', { type: 'button', id: `swap-${kind.kind}`, onclick: () => this.swap(kind, select.value, inUse, choice, configuration) }, 'Swap') : null;
    return el('div', { class: 'field' }, el('label', { for: id }, kind.text), el('span', { class: 'entry' }, select, swap),
      el('p', { class: 'help', role: 'status' }, this.said[kind.kind] ?? why ?? choice.help));
  }

  async swap(kind, wanted, inUse, choice, configuration) {
    if (wanted === inUse) {
      this.said = { ...this.said, [kind.kind]: `${wanted} is in use already` };
      this.onApplied();
      return;
    }
    const yes = await ask({ title: `${kind.text}: ${wanted} instead of ${inUse}`, text: [choice.help, 'Do the same on the other members.'], fields: [], yes: 'Swap' });
    if (yes === null) {
      return;
    }
    try {
      await api.changeSetting(configuration.pid, {
        [choice.key]: choice.list ? [wanted, ...(choice.value ?? []).filter(id => id !== wanted)] : wanted,
      });
      this.said = { ...this.said, [kind.kind]: `${wanted} was chosen` };
      this.onApplied(`${configuration.pid}: ${kind.text.toLowerCase()} ${inUse} → ${wanted}`);
      return;
    } catch (e) {
      this.said = { ...this.said, [kind.kind]: `not swapped: ${e.message}` };
    }
    this.onApplied();
  }
}
