// Forms for every setting that metatype declares. What was typed stays until it is in force.

import * as api from './api.js';
import { byId, el, setText, show } from './dom.js';
import { clock } from './words.js';

/** Those whose effect is seen in the timeline come first. */
const FIRST = ['org.plover.policy.', 'org.plover.vm', 'org.plover.gate.', 'org.plover.consensus.', 'org.plover.transport.'];

export class Settings {
  /** @param onApplied is told what was changed, in words */
  constructor(onApplied) {
    this.onApplied = onApplied;
    this.me = null;
    this.pids = [];
    this.forms = new Map();
    byId('settings-filter').addEventListener('input', () => this.filter());
  }

  async load(me, vm) {
    this.me = me;
    const mayChange = api.covers(me.role, 'administrator');
    const reason = byId('settings-reason');
    reason.hidden = mayChange;
    setText(reason, mayChange ? '' : `You are logged in as ${me.role}: changing settings needs the role administrator.`);
    this.pids = (await api.settings()).filter(pid => !pid.template)
      .sort((a, b) => rank(a.pid, vm) - rank(b.pid, vm) || a.name.localeCompare(b.name));
    for (const pid of this.pids) {
      const form = this.forms.get(pid.pid);
      if (form) {
        form.refresh(pid);
      } else {
        this.forms.set(pid.pid, new PidForm(pid, mayChange, what => this.onApplied(what)));
      }
    }
    for (const known of [...this.forms.keys()]) {
      if (!this.pids.some(pid => pid.pid === known)) {
        this.forms.delete(known);
      }
    }
    if (this.pids.length > 0 && !this.opened) {
      this.opened = true;
      this.forms.get(this.pids[0].pid).element.open = true;
    }
    const wanted = this.pids.map(pid => this.forms.get(pid.pid).element);
    const box = byId('settings-forms');
    // Moving a form in the document would take the focus from what is being typed into.
    if (wanted.length !== box.children.length || wanted.some((element, i) => box.children[i] !== element)) {
      show(box, wanted);
    }
    this.filter();
  }

  /** The configuration of a virtual machine, as far as it is known here. */
  ofVm(vm) {
    return this.pids.find(pid => pid.pid === `org.plover.vm~${vm}`);
  }

  filter() {
    const text = byId('settings-filter').value.trim().toLowerCase();
    for (const form of this.forms.values()) {
      form.filter(text);
    }
  }
}

function rank(pid, vm) {
  if (pid.startsWith('org.plover.vm') && !pid.endsWith(`~${vm}`)) {
    return FIRST.length + 1;
  }
  const index = FIRST.findIndex(prefix => pid.startsWith(prefix));
  return index < 0 ? FIRST.length : index;
}

class PidForm {
  constructor(pid, mayChange, onApplied) {
    this.pid = pid;
    this.mayChange = mayChange;
    this.onApplied = onApplied;
    this.answer = el('p', { class: 'answer', role: 'status' });
    this.fields = pid.settings.map(setting => new Field(pid.pid, setting, mayChange, () => this.showChanged()));
    this.apply = el('button', { type: 'submit', class: 'strong', disabled: true }, 'Apply');
    this.undo = el('button', { type: 'button', disabled: true, onclick: () => this.takeBack() }, 'Undo typing');
    this.count = el('span', { class: 'count' });
    this.element = el('details', { class: 'pid', 'data-pid': pid.pid },
      el('summary', {}, el('b', {}, pid.name.replace(/^Plover /, '')), ' ', el('code', {}, pid.pid), ' ', this.count),
      pid.help ? el('p', { class: 'help' }, pid.help) : null,
      el('form', { onsubmit: event => { event.preventDefault(); this.send(); } },
        this.fields.map(field => field.element), mayChange ? el('div', { class: 'buttons' }, this.apply, this.undo) : null, this.answer));
    this.showChanged();
  }

  refresh(pid) {
    this.pid = pid;
    for (const setting of pid.settings) {
      this.fields.find(field => field.setting.key === setting.key)?.refresh(setting);
    }
    this.showChanged();
  }

  showChanged() {
    const typed = this.fields.filter(field => field.changed());
    this.apply.disabled = typed.length === 0;
    this.undo.disabled = typed.length === 0;
    const configured = this.pid.settings.filter(setting => setting.configured).length;
    setText(this.count, [typed.length > 0 ? `${typed.length} typed, not applied` : '', configured > 0 ? `${configured} set` : ''].filter(Boolean).join(', '));
  }

  takeBack() {
    this.fields.forEach(field => field.reset());
    this.tell('', '');
    this.showChanged();
  }

  tell(tone, text) {
    this.answer.className = `answer ${tone}`;
    this.answer.setAttribute('role', tone === 'bad' ? 'alert' : 'status');
    setText(this.answer, text);
  }

  async send() {
    const changed = this.fields.filter(field => field.changed());
    if (changed.length === 0) {
      return;
    }
    const what = changed.map(field => `${field.setting.key} ${field.before()} → ${field.text() === '' ? 'default' : field.text()}`).join(', ');
    this.apply.disabled = true;
    this.tell('', 'Applying …');
    try {
      await api.changeSetting(this.pid.pid, Object.fromEntries(changed.map(field => [field.setting.key, field.value()])));
      changed.forEach(field => field.accepted());
      this.tell('good', `Applied at ${clock(Date.now())}: ${what}`);
      this.onApplied(`${this.pid.pid}: ${what}`);
    } catch (e) {
      // What was typed stays: it is to be mended, not to be typed again.
      changed.forEach(field => field.refused(e.message));
      this.tell('bad', `Not applied: ${e.message}`);
      this.showChanged();
    }
  }

  filter(text) {
    let any = false;
    for (const field of this.fields) {
      const fits = text === '' || `${this.pid.pid} ${field.setting.key} ${field.setting.name} ${field.setting.help}`.toLowerCase().includes(text);
      field.element.hidden = !fits;
      any ||= fits;
    }
    this.element.hidden = !any;
    if (text !== '' && any) {
      this.element.open = true;
    }
  }
}

class Field {
  constructor(pid, setting, mayChange, onInput) {
    this.setting = setting;
    const id = `set-${pid}-${setting.key}`.replace(/[^A-Za-z0-9-]/g, '_');
    this.input = control(setting, id);
    this.input.disabled = !mayChange;
    this.input.setAttribute('aria-describedby', `${id}-help`);
    this.input.addEventListener('input', () => {
      this.input.removeAttribute('aria-invalid');
      this.mark();
      onInput();
    });
    this.state = el('span', { class: 'state' });
    this.element = el('div', { class: 'field', 'data-key': setting.key },
      el('label', { for: id }, setting.key, setting.name && setting.name !== setting.key ? el('small', {}, ` ${setting.name}`) : null),
      el('span', { class: 'entry' }, this.input, setting.unit ? el('span', { class: 'unit' }, setting.unit) : null, this.state),
      el('p', { class: 'help', id: `${id}-help` }, [setting.help, range(setting), otherwise(setting)].filter(Boolean).join(' ')));
    this.reset();
  }

  refresh(setting) {
    const typed = this.changed();
    this.setting = setting;
    if (!typed) {
      this.reset();
    }
    this.mark();
  }

  reset() {
    this.put(this.setting.value);
    this.input.removeAttribute('aria-invalid');
    this.mark();
  }

  put(value) {
    if (this.input.type === 'checkbox') {
      this.input.checked = value === true || value === 'true';
    } else {
      this.input.value = asText(value, this.setting);
    }
  }

  text() {
    return this.input.type === 'checkbox' ? String(this.input.checked) : this.input.value.trim();
  }

  before() {
    return this.setting.secret ? 'hidden' : asText(this.setting.value, this.setting).replaceAll('\n', ', ') || 'nothing';
  }

  changed() {
    return this.text() !== asText(this.setting.value, this.setting);
  }

  /** As the API wants it; nothing typed is the default. What is no number is sent as it is: the server says why it cannot be. */
  value() {
    const text = this.text();
    if (this.setting.type === 'boolean') {
      return this.input.checked;
    } else if (this.setting.list) {
      return text.split('\n').map(line => line.trim()).filter(line => line !== '');
    } else if (this.setting.type === 'integer' || this.setting.type === 'number') {
      return text === '' ? null : /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text;
    }
    return text === '' && this.setting.defaultValue !== '' ? null : text;
  }

  accepted() {
    this.setting = { ...this.setting, value: this.setting.secret ? null : this.value() ?? this.setting.defaultValue, configured: true };
    this.reset();
  }

  refused(sentence) {
    if (sentence.includes(this.setting.key)) {
      this.input.setAttribute('aria-invalid', 'true');
    }
  }

  mark() {
    const typed = this.changed();
    const differs = this.setting.configured && !this.setting.secret
      && asText(this.setting.value, this.setting) !== asText(this.setting.defaultValue, this.setting);
    this.element.classList.toggle('typed', typed);
    this.element.classList.toggle('differs', differs && !typed);
    setText(this.state, typed ? '✎ typed' : differs ? '● not the default' : '');
  }
}

function control(setting, id) {
  if (setting.type === 'boolean') {
    return el('input', { id, type: 'checkbox' });
  } else if (setting.list) {
    return el('textarea', { id, rows: Math.min(4, Math.max(2, (setting.value ?? []).length + 1)), spellcheck: 'false' });
  } else if (setting.options.length > 0) {
    return el('select', { id }, setting.options.map(option => el('option', { value: option }, option)));
  } else if (setting.secret) {
    return el('input', { id, type: 'password', autocomplete: 'new-password', placeholder: setting.configured ? 'unchanged' : '' });
  }
  const number = setting.type === 'integer' || setting.type === 'number';
  // Not type=number: a browser would hide what it does not take for a number, and the sentence why not is the server's.
  return el('input', { id, type: 'text', inputmode: number ? 'decimal' : null, class: number ? 'number' : null, autocomplete: 'off', spellcheck: 'false' });
}

function asText(value, setting) {
  if (value === null || value === undefined) {
    return setting.type === 'boolean' ? 'false' : '';
  }
  return Array.isArray(value) ? value.join('\n') : String(value);
}

function range(setting) {
  const unit = setting.unit ? ` ${setting.unit}` : '';
  // Many of the help texts say it already.
  if (/Range:/.test(setting.help) || (setting.min === '' && setting.max === '')) {
    return '';
  }
  return setting.max === '' ? `At least ${setting.min}${unit}.` : setting.min === '' ? `At most ${setting.max}${unit}.` : `${setting.min} to ${setting.max}${unit}.`;
}

function otherwise(setting) {
  const text = asText(setting.defaultValue, setting).replaceAll('\n', ', ');
  return setting.secret ? 'Never shown.' : setting.list ? `One a line.${text ? ` Default: ${text}.` : ''}` : text === '' ? '' : `Default: ${text}.`;
}
