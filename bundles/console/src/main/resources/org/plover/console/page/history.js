// What the page remembers of a virtual machine: epochs, samples of its status, events. Bounded, however long the page is open.

const RAW_MAX = 12_000;
const SECONDS_MAX = 7_200;
const EVENTS_MAX = 1_000;
/** Two reports of one change are not further apart. */
const SAME_MILLIS = 3_000;
/** How far behind the clock the newest epoch may be reckoned before it is put where it was seen, in seconds. */
const DRIFT_MAX = 2;

export class History {
  constructor() {
    this.epochs = [];
    this.seconds = [];
    this.samples = [];
    this.events = [];
    this.own = [];
    this.lastEpoch = null;
    this.lastEventSequence = -1;
    this.lastPollAt = 0;
  }

  /** Number to ask for epochs after. */
  epochsSince(status) {
    // A guest that was booted anew may count from the beginning.
    return this.lastEpoch && status.epoch >= this.lastEpoch.epoch ? this.lastEpoch.epoch : -1;
  }

  /**
   * Takes records up that the appliance has committed. They say how long each took and not when it was: the newest has just ended,
   * and each ended one interval before the next.
   */
  addEpochs(records, now) {
    const fresh = records.filter(r => !this.lastEpoch || r.view > this.lastEpoch.view
      || (r.view === this.lastEpoch.view && r.epoch > this.lastEpoch.epoch));
    if (fresh.length > 0) {
      this.place(fresh, now);
      this.lastEpoch = fresh[fresh.length - 1];
      for (const record of fresh) {
        this.epochs.push(record);
        this.addToSecond(record);
      }
      trim(this.epochs, RAW_MAX);
      trim(this.seconds, SECONDS_MAX);
    }
    this.lastPollAt = now;
  }

  place(fresh, now) {
    const follows = this.lastEpoch !== null && fresh[0].epoch === this.lastEpoch.epoch + 1;
    if (follows) {
      let at = this.lastEpoch.at;
      for (const record of fresh) {
        at += record.intervalMicros / 1e6;
        record.at = at;
      }
      if (at > now || at < this.lastPollAt - DRIFT_MAX) {
        shift(fresh, now - at, this.lastEpoch.at);
      }
      return;
    }
    let at = now;
    for (let i = fresh.length - 1; i >= 0; i--) {
      fresh[i].at = at;
      at -= fresh[i].intervalMicros / 1e6;
    }
    if (this.lastEpoch) {
      shift(fresh, 0, this.lastEpoch.at);
    }
  }

  addToSecond(r) {
    const at = Math.floor(r.at);
    let second = this.seconds[this.seconds.length - 1];
    if (!second || second.at < at) {
      second = { at, n: 0, interval: 0, pause: 0, pauseMax: 0, commit: 0, apply: 0, dirty: 0, same: 0, bytes: 0 };
      this.seconds.push(second);
    }
    second.n++;
    second.interval += r.intervalMicros;
    second.pause += r.pauseMicros;
    second.pauseMax = Math.max(second.pauseMax, r.pauseMicros);
    second.commit += r.commitMicros;
    second.apply += r.applyMicros;
    second.dirty += r.dirtyPages;
    second.same += r.samePages;
    second.bytes += r.transferredBytes;
  }

  addSample(status, now) {
    this.samples.push({
      at: now, heldBytes: status.heldBytes, heldMillis: status.oldestHeldMillis,
      consensus50: status.inputConsensusMicros?.count > 0 ? status.inputConsensusMicros.p50 : null,
      consensus99: status.inputConsensusMicros?.count > 0 ? status.inputConsensusMicros.p99 : null,
    });
    trim(this.samples, SECONDS_MAX);
  }

  addEvents(events) {
    const fresh = events.filter(event => event.sequence > this.lastEventSequence);
    if (fresh.length > 0) {
      this.lastEventSequence = fresh[fresh.length - 1].sequence;
      this.events.push(...fresh);
      trim(this.events, EVENTS_MAX);
    }
    return fresh;
  }

  /** Something that was done on this page, which the appliance may not tell of itself. */
  addOwn(kind, text) {
    this.own.push({ sequence: 0, atMillis: Date.now(), kind, text });
    trim(this.own, EVENTS_MAX);
  }

  /** What happened, oldest first: as the appliance tells it, and what was done here if it does not. */
  happened() {
    const untold = this.own.filter(mine => !this.events.some(event => event.kind === mine.kind && Math.abs(event.atMillis - mine.atMillis) < SAME_MILLIS));
    return untold.length === 0 ? this.events : [...this.events, ...untold].sort((a, b) => a.atMillis - b.atMillis);
  }

  /** Time of the first thing remembered, in seconds since 1970. */
  beginning(now) {
    return Math.min(now, this.seconds[0]?.at ?? now, this.samples[0]?.at ?? now);
  }

  /** Points of the epochs since a time, as uPlot has them: each epoch, or means of as many seconds as make few enough points. */
  epochColumns(from, to, pointsMax) {
    if (to - from <= 60) {
      return columns(this.epochs.slice(firstAt(this.epochs, from)).map(r => ({
        at: r.at, gapBefore: r.intervalMicros / 1e6, interval: r.intervalMicros / 1000, pause: r.pauseMicros / 1000,
        pauseMax: r.pauseMicros / 1000, commit: r.commitMicros / 1000, apply: r.applyMicros / 1000, dirty: r.dirtyPages,
        same: r.dirtyPages > 0 ? 100 * r.samePages / r.dirtyPages : null, bytes: r.transferredBytes,
      })));
    }
    const width = Math.max(1, Math.ceil((to - from) / pointsMax));
    const points = [];
    for (const s of this.seconds.slice(firstAt(this.seconds, from))) {
      const at = Math.floor(s.at / width) * width;
      let sum = points[points.length - 1];
      if (!sum || sum.at !== at) {
        sum = { at, n: 0, interval: 0, pause: 0, pauseMax: 0, commit: 0, apply: 0, dirty: 0, same: 0, bytes: 0 };
        points.push(sum);
      }
      for (const key of ['n', 'interval', 'pause', 'commit', 'apply', 'dirty', 'same', 'bytes']) {
        sum[key] += s[key];
      }
      sum.pauseMax = Math.max(sum.pauseMax, s.pauseMax);
    }
    return columns(points.map(s => ({
      at: s.at, gapBefore: s.interval / s.n / 1e6 + width, interval: s.interval / s.n / 1000, pause: s.pause / s.n / 1000,
      pauseMax: s.pauseMax / 1000, commit: s.commit / s.n / 1000, apply: s.apply / s.n / 1000, dirty: s.dirty / s.n,
      same: s.dirty > 0 ? 100 * s.same / s.dirty : null, bytes: s.bytes / s.n,
    })));
  }

  sampleColumns(from, to, pointsMax) {
    const shown = this.samples.slice(firstAt(this.samples, from));
    const step = Math.max(1, Math.ceil(shown.length / pointsMax));
    const result = { at: [], heldBytes: [], heldMillis: [], consensus50: [], consensus99: [] };
    for (let i = 0; i < shown.length; i += step) {
      const some = shown.slice(i, i + step);
      result.at.push(some[0].at);
      for (const key of ['heldBytes', 'heldMillis', 'consensus50', 'consensus99']) {
        const values = some.map(s => s[key]).filter(v => v !== null);
        result[key].push(values.length > 0 ? Math.max(...values) : null);
      }
    }
    return result;
  }
}

const KEYS = ['at', 'interval', 'pause', 'pauseMax', 'commit', 'apply', 'dirty', 'same', 'bytes'];

/** Where nothing was committed for long there is a gap, not a line across it. */
function columns(points) {
  const result = Object.fromEntries(KEYS.map(key => [key, []]));
  let before = null;
  for (const point of points) {
    if (before !== null && point.at - before > 1.5 * point.gapBefore + 2) {
      KEYS.forEach(key => result[key].push(key === 'at' ? before + 0.001 : null));
    }
    KEYS.forEach(key => result[key].push(point[key]));
    before = point.at;
  }
  return result;
}

/** Moves records in time, but none before the one that was there before all of them. */
function shift(records, by, notBefore) {
  let floor = notBefore;
  for (const record of records) {
    record.at = Math.max(record.at + by, floor + 1e-6);
    floor = record.at;
  }
}

function firstAt(list, from) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].at < from) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return Math.max(0, low - 1);
}

function trim(list, max) {
  // Not one by one: that would move the whole list each time.
  if (list.length > max * 1.1) {
    list.splice(0, list.length - max);
  }
}
