// From a libvirt domain or a QEMU command line to the configuration of a protected virtual machine.

import * as api from './api.js';
import { byId, el, setText, show } from './dom.js';

/** The API takes requests of 64 KiB. */
const BYTES_MAX = 60 * 1024;

export class Wizard {
  constructor() {
    this.text = el('textarea', { id: 'wizard-text', rows: 8, spellcheck: 'false', required: true });
    this.name = el('input', { id: 'wizard-name', autocomplete: 'off', spellcheck: 'false' });
    this.members = el('textarea', { id: 'wizard-members', rows: 3, spellcheck: 'false' });
    this.bridge = el('input', { id: 'wizard-bridge', autocomplete: 'off', spellcheck: 'false' });
    this.answer = el('div', { id: 'wizard-answer' });
    this.go = el('button', { type: 'submit', class: 'strong', id: 'wizard-go' }, 'Check');
    this.problem = el('p', { class: 'answer bad', role: 'alert' });
    const file = el('input', { id: 'wizard-file', type: 'file', accept: '.xml,.txt,.sh,text/xml,text/plain', onchange: event => this.read(event.target.files[0]) });
    show(byId('wizard-body'),
      el('p', { class: 'quiet' }, 'Nothing is changed by this: it says what stands in the way, what would be different, and what to write into which file.'),
      el('form', { onsubmit: event => { event.preventDefault(); this.translate(); } },
        field('wizard-file', 'A file', file, ''),
        field('wizard-text', 'or paste: a libvirt domain (virsh dumpxml NAME) or a QEMU command line', this.text, ''),
        field('wizard-name', 'Name', this.name, 'Empty: the name in the domain.'),
        field('wizard-members', 'Members, one a line', this.members, 'NAME=replica@HOST:PORT or NAME=witness@HOST:PORT: two replicas and a witness, in the same order everywhere.'),
        field('wizard-bridge', 'Bridge', this.bridge, 'For interfaces whose bridge the domain does not name.'),
        el('div', { class: 'buttons' }, this.go), this.problem), this.answer);
  }

  use(me) {
    const may = api.covers(me.role, 'administrator');
    this.go.disabled = !may;
    setText(this.problem, may ? '' : `You are logged in as ${me.role}: this needs the role administrator.`);
  }

  async read(file) {
    if (!file) {
      return;
    }
    if (file.size > BYTES_MAX) {
      setText(this.problem, `${file.name} has ${file.size} bytes; a domain has at most ${BYTES_MAX}.`);
      return;
    }
    this.text.value = await file.text();
    setText(this.problem, '');
  }

  async translate() {
    setText(this.problem, '');
    show(this.answer, el('p', { role: 'status' }, 'Looking at it and at this host …'));
    try {
      const request = { text: this.text.value, members: this.members.value.split('\n').map(line => line.trim()).filter(line => line !== '') };
      for (const [key, input] of [['name', this.name], ['bridge', this.bridge]]) {
        if (input.value.trim() !== '') {
          request[key] = input.value.trim();
        }
      }
      const [plan, host] = await Promise.all([api.plan(request), api.doctor()]);
      this.show(plan, host);
    } catch (e) {
      show(this.answer);
      setText(this.problem, e.message);
    }
  }

  show(plan, host) {
    const blocks = plan.findings.filter(f => f.level === 'ERROR').length;
    const title = el('h3', { tabindex: '-1' }, blocks === 0 ? `✓ ${plan.name} can be protected` : `✗ ${blocks} ${blocks === 1 ? 'thing blocks' : 'things block'} it`);
    show(this.answer, title,
      findings('The virtual machine', plan.findings),
      plan.changes.length === 0 ? null : el('section', {}, el('h4', {}, 'What will be different'), el('ul', {}, plan.changes.map(text => el('li', {}, text)))),
      findings('This host', host),
      plan.files.map(file => this.file(file)));
    title.focus();
  }

  file(file) {
    const text = el('pre', { tabindex: '0', 'aria-label': file.name }, file.content);
    const said = el('span', { role: 'status' });
    return el('section', {}, el('h4', {}, el('code', {}, file.name)),
      file.note ? el('p', { class: 'quiet' }, file.note) : null, text,
      el('div', { class: 'buttons' }, el('button', {
        type: 'button',
        onclick: async () => {
          try {
            await navigator.clipboard.writeText(file.content);
            setText(said, 'Copied.');
          } catch (e) {
            getSelection().selectAllChildren(text);
            setText(said, 'Selected: copy it by keyboard.');
          }
        },
      }, 'Copy'), said));
  }
}

function field(id, label, input, help) {
  return el('div', { class: 'field' }, el('label', { for: id }, label), el('span', { class: 'entry' }, input), help ? el('p', { class: 'help' }, help) : null);
}

function findings(title, list) {
  const marks = { OK: '✓', WARNING: '!', ERROR: '✗' };
  return el('section', {}, el('h4', {}, title), el('ul', { class: 'findings' }, list.map(f => el('li', { class: f.level.toLowerCase() },
    el('b', {}, `${marks[f.level] ?? ''} ${f.subject}: `), f.text, f.remedy ? el('span', { class: 'remedy' }, ` → ${f.remedy}`) : null))));
}
