// Ties the parts of the page together and asks the appliance how things are, once a second while somebody looks.

import * as api from './api.js';
import { byId, el, setText, show, unchanged } from './dom.js';
import { EventLog } from './events.js';
import { History } from './history.js';
import { Orders } from './orders.js';
import { drawPicture } from './picture.js';
import { Providers } from './providers.js';
import { Settings } from './settings.js';
import { Timeline } from './timeline.js';
import { Wizard } from './wizard.js';
import { bytes, count, duration, eventKind, micros, millis, percent } from './words.js';

const POLL_MILLIS = 1_000;
const OPERATIONS_MILLIS = 3_000;

class Page {
  constructor() {
    this.me = { name: '', role: 'viewer' };
    this.histories = new Map();
    this.chosen = null;
    this.status = null;
    this.answeredAt = Date.now();
    this.operationsAt = 0;
    this.settingsVm = undefined;
    this.timeline = new Timeline();
    this.log = new EventLog();
    this.orders = new Orders();
    this.settings = new Settings(what => this.applied(what));
    this.providers = new Providers(this.settings, what => this.applied(what));
    this.wizard = new Wizard();
    byId('vm-select').addEventListener('change', event => this.choose(event.target.value));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        this.wake?.();
      }
    });
    new ResizeObserver(() => this.status && drawPicture(byId('picture'), this.status)).observe(byId('picture'));
  }

  async run() {
    for (;;) {
      const begun = Date.now();
      await this.poll();
      await new Promise(resolve => {
        this.wake = document.hidden ? resolve : null;
        if (!document.hidden) {
          setTimeout(resolve, Math.max(100, POLL_MILLIS - (Date.now() - begun)));
        }
      });
    }
  }

  async poll() {
    try {
      if (this.me.name === '') {
        this.me = await api.me();
        setText(byId('who'), `${this.me.name}, ${this.me.role}.`);
        byId('console-link').hidden = !api.covers(this.me.role, 'administrator');
        this.wizard.use(this.me);
      }
      this.take(await api.vms());
      if (this.status) {
        await this.follow();
      }
      this.answeredAt = Date.now();
      this.trouble('');
    } catch (e) {
      if (!(e instanceof api.ApiError)) {
        throw e;
      }
      if (e.status === 401 || e.status === 403) {
        this.me = { name: '', role: 'viewer' };
      }
      const age = Date.now() - this.answeredAt;
      this.trouble(e.status === 401 ? 'You are not logged in, or the session has ended: load the page again.'
        : `${e.message}. What you see is ${duration(age)} old.`);
    }
  }

  trouble(text) {
    const box = byId('trouble');
    box.hidden = text === '';
    setText(box, text);
    document.body.classList.toggle('stale', text !== '');
  }

  take(all) {
    const names = all.map(status => status.vm);
    if (!names.includes(this.chosen)) {
      this.chosen = names[0] ?? null;
    }
    byId('vm-choice').hidden = names.length < 2;
    const select = byId('vm-select');
    if (!unchanged(select, names)) {
      show(select, names.map(name => el('option', { value: name, selected: name === this.chosen }, name)));
    }
    document.body.classList.toggle('no-vm', names.length === 0);
    this.status = all.find(status => status.vm === this.chosen) ?? null;
    if (this.status) {
      this.drawStatus(this.status);
    } else {
      this.drawNothing();
    }
  }

  drawNothing() {
    setText(byId('verdict-mark'), '–');
    setText(byId('verdict-words'), 'NOTHING TO PROTECT');
    byId('overview').className = 'card neutral';
    setText(byId('message'), 'This appliance protects no virtual machine yet. "Protect a virtual machine" below makes its configuration.');
  }

  choose(name) {
    this.chosen = name;
    this.wake?.();
  }

  history(vm) {
    if (!this.histories.has(vm)) {
      this.histories.set(vm, new History());
    }
    return this.histories.get(vm);
  }

  /** What belongs to the machine that is looked at. */
  async follow() {
    const status = this.status;
    const history = this.history(status.vm);
    const now = Date.now() / 1000;
    history.addSample(status, now);
    if (status.role === 'PRIMARY' && history.lastEpoch?.epoch !== status.epoch) {
      history.addEpochs(await api.epochs(status.vm, history.epochsSince(status)), Date.now() / 1000);
    }
    const fresh = history.addEvents(await api.events(status.vm, history.lastEventSequence));
    if (this.timeline.history !== history) {
      this.timeline.use(history);
      this.log.use(history);
    } else {
      this.timeline.draw();
      if (fresh.length > 0) {
        this.log.draw();
        this.announce(fresh);
      }
    }
    const note = byId('timeline-note');
    note.hidden = status.role === 'PRIMARY';
    setText(note, status.role === 'PRIMARY' ? '' : `Epochs are recorded by the primary${status.primary ? `, ${status.primary}` : ''}: look at its page.`);
    if (this.settingsVm !== status.vm) {
      await this.settings.load(this.me, status.vm);
      await this.providers.load();
      this.settingsVm = status.vm;
    }
    this.providers.update(status, this.me);
    this.orders.update(status, this.me);
    if (Date.now() - this.operationsAt > OPERATIONS_MILLIS) {
      this.operationsAt = Date.now();
      this.orders.takeUp((await api.operations()).filter(operation => operation.vm === status.vm));
    }
  }

  /** Screen readers hear what matters, not every event. */
  announce(events) {
    const important = events.filter(event => ['bad', 'good'].includes(eventKind(event.kind).tone));
    if (important.length > 0) {
      setText(byId('announcer'), important.map(event => event.text).join(' '));
    }
  }

  applied(what) {
    this.settingsVm = undefined;
    if (what && this.status) {
      this.history(this.status.vm).addOwn('setting-changed', what);
      this.timeline.draw();
      this.log.draw();
    }
  }

  drawStatus(s) {
    const slowed = s.protectedNow && s.slowed !== '';
    byId('overview').className = `card ${s.protectedNow ? (slowed ? 'slowed' : 'protected') : 'unprotected'}`;
    setText(byId('verdict-mark'), s.protectedNow ? (slowed ? '◐' : '✓') : '✗');
    setText(byId('verdict-words'), s.protectedNow ? (slowed ? 'PROTECTED, SLOWED' : 'PROTECTED') : 'NOT PROTECTED');
    setText(byId('verdict-vm'), `${s.vm}, as ${s.member} sees it, view ${s.view}, epoch ${s.epoch}`);
    setText(byId('message'), s.message);
    if (!unchanged(byId('notes'), s.notes)) {
      show(byId('notes'), s.notes.map(note => el('li', {}, note)));
    }
    drawPicture(byId('picture'), s);
    this.drawFigures(s);
    document.title = `${s.protectedNow ? '✓' : '✗'} ${s.vm} - Protection`;
  }

  drawFigures(s) {
    const epochs = s.pauseMillis.count > 0;
    const rows = [
      ['pause, median', epochs ? millis(s.pauseMillis.p50) : '-'],
      ['pause, 99 of 100', epochs ? millis(s.pauseMillis.p99) : '-'],
      ['interval, median', epochs ? millis(s.intervalMillis.p50) : '-'],
      ['same pages', epochs ? percent(s.samePagesPercent) : '-'],
      ['sent for an epoch', epochs ? bytes(s.transferredBytes.p50) : '-'],
      ['agreement, median', s.inputConsensusMicros.count > 0 ? micros(s.inputConsensusMicros.p50) : '-'],
      ['output held', s.heldFrames > 0 ? `${bytes(s.heldBytes)}, ${millis(s.oldestHeldMillis)}` : 'none'],
      ['epochs committed', count(s.epochsCommitted)],
    ];
    const list = byId('figures');
    if (!unchanged(list, rows)) {
      show(list, rows.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
    }
  }
}

new Page().run();
