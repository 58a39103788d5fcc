// Figures and states in words.

export function millis(value) {
  if (!Number.isFinite(value)) {
    return '-';
  }
  if (value < 1) {
    return `${Math.round(value * 1000)} µs`;
  }
  if (value < 10_000) {
    return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  }
  return duration(value);
}

export function micros(value) {
  return millis(value / 1000);
}

export function bytes(value) {
  if (!Number.isFinite(value)) {
    return '-';
  }
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function count(value) {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '-';
}

export function percent(value) {
  return Number.isFinite(value) ? `${Math.round(value)} %` : '-';
}

export function duration(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function clock(atMillis) {
  return new Date(atMillis).toLocaleTimeString('en-GB');
}

/** What a member does, as far as the one that answers can know. */
export function roleOf(member, status) {
  if (member.self) {
    return {
      STARTING: 'starting', PRIMARY: 'primary', BACKUP: 'backup', SYNCHRONISING: 'synchronising', WITNESS: 'witness',
      VIEW_CHANGE: 'between views', FAILED: 'failed',
    }[status.role] ?? status.role.toLowerCase();
  }
  if (member.left) {
    return member.kind === 'witness' ? 'witness, taken out' : 'taken out';
  }
  if (member.name === status.primary) {
    return 'primary';
  }
  if (member.kind === 'witness') {
    return 'witness';
  }
  return member.inSync ? 'backup' : 'backup to be';
}

/** Whether a member is fit for what it is there for, and one sentence why or why not. */
export function conditionOf(member, status) {
  if (member.left) {
    return { good: false, text: 'taken out of the group' };
  }
  if (!member.connected && !member.self) {
    return { good: false, text: member.heardMillis < 0 ? 'never heard' : `silent for ${duration(member.heardMillis)}` };
  }
  if (member.self && (status.role === 'FAILED' || status.role === 'STARTING' || status.role === 'VIEW_CHANGE')) {
    return { good: false, text: 'see the sentence above' };
  }
  if (member.kind === 'witness') {
    return member.votes ? { good: true, text: 'votes' } : { good: false, text: 'does not vote yet' };
  }
  if (!member.inSync) {
    const progress = status.synchronisationPercent;
    return { good: false, text: progress >= 0 ? `being copied, ${progress} %` : 'not in sync' };
  }
  return member.votes ? { good: true, text: 'in sync' } : { good: false, text: 'in sync, does not vote yet' };
}

/** What an event kind is called, and the letter it has in the charts; the letter is absent for what is not marked there. */
const EVENTS = {
  'failover': { word: 'failover', mark: 'F', tone: 'bad' },
  'handover': { word: 'handover', mark: 'H', tone: 'info' },
  'unprotected': { word: 'unprotected', mark: 'U', tone: 'bad' },
  'protected': { word: 'protected', mark: 'P', tone: 'good' },
  'setting-changed': { word: 'setting', mark: 'S', tone: 'info' },
  'setting-refused': { word: 'setting refused', tone: 'warn' },
  'order': { word: 'order', tone: 'info' },
  'member-lost': { word: 'member lost', mark: 'L', tone: 'bad' },
  'member-back': { word: 'member back', mark: 'B', tone: 'good' },
  'epoch-slow': { word: 'slow epoch', tone: 'warn' },
  'warning': { word: 'warning', tone: 'warn' },
  'failed': { word: 'failed', mark: 'X', tone: 'bad' },
};

export function eventKind(kind) {
  return EVENTS[kind] ?? { word: kind.replaceAll('-', ' '), tone: 'plain' };
}
