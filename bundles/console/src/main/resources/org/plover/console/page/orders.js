// What an operator may order: each asks back first, then says how far it is and what came of it.

import * as api from './api.js';
import { ask } from './ask.js';
import { byId, el, setText, show, unchanged } from './dom.js';
import { clock } from './words.js';

const POLL_MILLIS = 1_000;
const SHOWN_MAX = 8;
/** What changes who serves cannot be taken back half-way. */
const CANCELLABLE = new Set(['verify', 'verify-disks', 'backup']);

const others = status => status.members.filter(m => !m.self && m.kind !== 'witness');
const backup = status => others(status)[0];
const onPrimary = status => (status.role === 'PRIMARY' ? null
  : status.primary ? `this is ordered on the primary, ${status.primary}` : 'there is no primary at the moment');
const inSync = status => onPrimary(status) ?? (backup(status)?.inSync ? null : 'no backup is in sync');

/**
 * Every order: who may give it, why it cannot be given now (null if it can), what it will do, and the requests it consists of.
 * Each request waits for the one before it.
 */
const ORDERS = [
  {
    id: 'switchover', text: 'Switch over', role: 'operator', reason: inSync,
    explain: s => [`The guest stops at the end of an epoch and goes on at ${backup(s).name}. Clients wait for a moment; connections stay.`,
      'Afterwards this host is brought up to date again. Until then the guest is not protected.'],
    requests: () => [{ kind: 'switchover' }],
  },
  {
    id: 'verify', text: 'Verify memory', role: 'operator', reason: inSync,
    explain: () => ['All memory of both replicas is compared at the end of an epoch. That epoch\'s pause is longer, by about 40 ms for each 100 MiB.'],
    requests: () => [{ kind: 'verify' }],
  },
  {
    id: 'verify-disks', text: 'Verify disks', role: 'operator', reason: inSync,
    explain: () => ['Whole disks are compared at committed epochs, a slice at a time, while the guest runs.'],
    requests: () => [{ kind: 'verify-disks' }],
  },
  {
    id: 'backup', text: 'Back up disks', role: 'operator',
    reason: s => (s.role === 'PRIMARY' || s.role === 'BACKUP' ? null : 'this member has no guest in sync'),
    explain: s => [`The disks are copied as of one epoch to files on ${s.member}, while the guest runs. The files must not exist yet.`],
    fields: [{ name: 'files', label: 'Absolute paths, one a line for each disk', lines: true }],
    requests: (s, answers) => [{ kind: 'backup', files: answers.files }],
  },
  {
    id: 'resynchronise', text: 'Resynchronise', role: 'operator', reason: s => onPrimary(s) ?? (backup(s) ? null : 'there is no other replica'),
    explain: s => [`${backup(s).name} is taken out of the group and brought in again with a fresh copy of all memory. The guest runs on.`,
      'Until it is in sync again the guest is not protected.', 'Keep this page open until both steps are done.'],
    requests: s => [{ kind: 'leave', member: backup(s).name }, { kind: 'join', member: backup(s).name }],
  },
  {
    id: 'pause', text: 'Pause protection', role: 'operator',
    reason: s => onPrimary(s) ?? (backup(s)?.left ? 'it is paused already' : null),
    explain: s => [`${backup(s).name} is taken out of the group. The guest runs on alone: without pauses, and without protection.`,
      `"Resume protection" brings ${backup(s).name} in again.`],
    requests: s => [{ kind: 'leave', member: backup(s).name }],
  },
  {
    id: 'resume', text: 'Resume protection', role: 'operator',
    reason: s => onPrimary(s) ?? (backup(s)?.left ? null : 'no replica has been taken out'),
    explain: s => [`${backup(s).name} may come back: it gets a fresh copy of all memory while the guest runs, then the guest is protected again.`],
    requests: s => [{ kind: 'join', member: backup(s).name }],
  },
];

export class Orders {
  constructor() {
    this.status = null;
    this.me = null;
    this.known = new Map();
    this.local = [];
    this.buttons = ORDERS.map(order => el('button', { type: 'button', id: `order-${order.id}`, onclick: () => this.give(order) }, order.text));
    show(byId('order-buttons'), this.buttons);
    this.timer = null;
  }

  /** The buttons for what is so now. */
  update(status, me) {
    this.status = status;
    this.me = me;
    const mayNothing = !api.covers(me.role, 'operator');
    const reason = byId('orders-reason');
    reason.hidden = !mayNothing;
    if (mayNothing) {
      setText(reason, `You are logged in as ${me.role}: giving orders needs the role operator.`);
    }
    ORDERS.forEach((order, i) => {
      const why = this.whyNot(order);
      const button = this.buttons[i];
      // Not "disabled": the reason has to be found by keyboard, too.
      button.setAttribute('aria-disabled', String(why !== null));
      button.title = why ?? '';
    });
  }

  whyNot(order) {
    if (!this.status) {
      return 'nothing is known yet';
    }
    return api.covers(this.me.role, order.role) ? order.reason(this.status) : `this needs the role ${order.role}`;
  }

  async give(order) {
    const why = this.whyNot(order);
    if (why !== null) {
      this.say(order.text, 'refused', why);
      return;
    }
    const status = this.status;
    const answers = await ask({
      title: `${order.text}: ${status.vm}`, text: order.explain(status), fields: order.fields ?? [], yes: order.text,
    });
    if (answers === null) {
      return;
    }
    const line = { text: order.text, state: 'running', percent: -1, message: 'ordered', at: Date.now() };
    this.local.unshift(line);
    try {
      for (const request of order.requests(status, answers)) {
        await this.follow(status.vm, request, line);
        if (line.state !== 'done') {
          break;
        }
      }
    } catch (e) {
      line.state = 'failed';
      line.message = e.message;
    }
    this.draw();
  }

  /** Sends one request and stays with it until it has ended. */
  async follow(vm, request, line) {
    let operation = await api.order(vm, request);
    line.id = operation.id;
    line.kind = operation.kind;
    while (operation.state === 'running') {
      Object.assign(line, shown(operation));
      this.draw();
      await new Promise(resolve => setTimeout(resolve, POLL_MILLIS));
      operation = await this.look(operation);
    }
    Object.assign(line, shown(operation));
  }

  /** An appliance that does not answer for a moment has not lost the operation. */
  async look(operation) {
    try {
      return await api.operation(operation.id);
    } catch (e) {
      if (e.status === 0 || e.status >= 500) {
        return { ...operation, message: `${e.message}; trying again` };
      }
      throw e;
    }
  }

  say(text, state, message) {
    this.local.unshift({ text, state, percent: -1, message, at: Date.now() });
    this.draw();
  }

  /** Takes up what others have ordered, or this page before it was loaded. */
  takeUp(operations) {
    const mine = new Set(this.local.map(line => line.id).filter(Boolean));
    this.foreign = operations.filter(operation => !mine.has(operation.id))
      .map(operation => ({ id: operation.id, kind: operation.kind, text: titleOf(operation), at: operation.startedAtMillis, ...shown(operation) }));
    this.draw();
  }

  draw() {
    this.local.length = Math.min(this.local.length, SHOWN_MAX);
    const all = [...this.local, ...(this.foreign ?? [])].sort((a, b) => b.at - a.at).slice(0, SHOWN_MAX);
    const list = byId('operations');
    if (unchanged(list, all)) {
      return;
    }
    show(list, all.map(line => el('li', { class: `operation ${line.state}`, 'data-state': line.state },
      el('span', { class: 'state' }, { running: '… running', done: '✓ done', failed: '✗ failed', cancelled: '– cancelled', refused: '✗ not now' }[line.state] ?? line.state),
      el('b', {}, line.text),
      line.at > 0 ? el('time', {}, clock(line.at)) : null,
      line.state === 'running' ? progress(line) : null,
      line.state === 'running' && line.id && CANCELLABLE.has(line.kind) ? el('button', { type: 'button', onclick: () => this.stop(line) }, 'Cancel') : null,
      el('span', { class: 'what', role: line.state === 'failed' || line.state === 'refused' ? 'alert' : 'status' }, line.message ?? ''))));
  }

  async stop(line) {
    try {
      await api.cancel(line.id);
    } catch (e) {
      line.message = `cannot be cancelled: ${e.message}`;
      this.draw();
    }
  }
}

function progress(line) {
  return line.percent >= 0 ? el('progress', { max: 100, value: line.percent, 'aria-label': `${line.text}: ${line.percent} %` })
    : el('progress', { 'aria-label': `${line.text} runs` });
}

function titleOf(operation) {
  const text = ORDERS.find(order => order.id === operation.kind)?.text ?? operation.kind;
  return operation.user ? `${text}, by ${operation.user}` : text;
}

function shown(operation) {
  const said = operation.state === 'done' && operation.result ? verdict(operation.result) : null;
  return { state: operation.state, percent: operation.progressPercent, message: said ?? operation.message };
}

function verdict(result) {
  if (result.pagesCompared !== undefined) {
    return result.pagesDiffering === 0 ? `all ${result.pagesCompared} pages of memory are equal, as of epoch ${result.epoch}`
      : `${result.pagesDiffering} of ${result.pagesCompared} pages differ, the first are ${result.firstDiffering.join(', ')}: keep the logs of both replicas and report it`;
  }
  if (result.blocksCompared !== undefined) {
    return result.blocksDiffering === 0 ? `all ${result.blocksCompared} blocks of the disks are equal`
      : `${result.blocksDiffering} of ${result.blocksCompared} blocks differ: ${result.firstDiffering.join(', ')}`;
  }
  return null;
}
