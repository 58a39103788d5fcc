// Charts of epochs, output and agreement, with what happened marked in all of them.

import uPlot from './uPlot.esm.js';
import { byId, el, setText, show } from './dom.js';
import { bytes, clock, count, eventKind, micros, millis, percent } from './words.js';

const WINDOWS = [
  { seconds: 30, text: '30 s' }, { seconds: 300, text: '5 min' }, { seconds: 1800, text: '30 min' }, { seconds: Infinity, text: 'All' },
];
const POINTS_MAX = 600;
const HEIGHT = 132;
const TABLE_ROWS = 20;
const positive = value => (value > 0 ? value : null);

/** What is shown: lines differ in pattern as well as in colour. */
const CHARTS = [
  {
    title: 'Times of an epoch', source: 'epochs', logarithmic: true,
    lines: [
      { key: 'interval', text: 'interval', colour: 1, format: millis },
      { key: 'pause', text: 'pause', colour: 2, dash: [7, 3], format: millis, width: 2 },
      { key: 'commit', text: 'commit', colour: 3, dash: [2, 3], format: millis },
      { key: 'apply', text: 'apply', colour: 4, dash: [10, 3, 2, 3], format: millis },
    ],
  },
  {
    title: 'Pages written, and equal on both sides', source: 'epochs',
    lines: [
      { key: 'dirty', text: 'pages written', colour: 1, format: count },
      { key: 'same', text: 'same', colour: 3, dash: [7, 3], format: percent, right: true },
    ],
  },
  { title: 'Sent for an epoch', source: 'epochs', lines: [{ key: 'bytes', text: 'bytes sent', colour: 2, format: bytes }] },
  {
    title: 'Output held', source: 'samples',
    lines: [
      { key: 'heldBytes', text: 'held', colour: 1, format: bytes },
      { key: 'heldMillis', text: 'oldest', colour: 2, dash: [7, 3], format: millis, right: true },
    ],
  },
  {
    title: 'Agreement on input', source: 'samples',
    lines: [
      { key: 'consensus50', text: 'median', colour: 1, format: micros },
      { key: 'consensus99', text: '99 of 100 below', colour: 2, dash: [7, 3], format: micros },
    ],
  },
];

export class Timeline {
  constructor() {
    this.window = WINDOWS[0].seconds;
    this.history = null;
    this.charts = CHARTS.map(spec => this.frame(spec));
    this.marks = [];
    show(byId('charts'), this.charts.map(chart => chart.figure));
    show(byId('windows'), WINDOWS.map((w, i) => el('label', {},
      el('input', {
        type: 'radio', name: 'window', value: i, checked: i === 0,
        onchange: () => { this.window = w.seconds; this.draw(); },
      }), el('span', {}, w.text))));
    new ResizeObserver(() => this.resize()).observe(byId('charts'));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.rebuild());
    byId('epoch-table-box').addEventListener('toggle', () => this.drawTable());
  }

  frame(spec) {
    const legend = el('ul', { class: 'legend' });
    const values = spec.lines.map(line => {
      const value = el('b', {});
      legend.append(el('li', {}, el('span', { class: `sample colour${line.colour} ${line.dash ? `dash${line.dash.length}-${line.dash[0]}` : ''}`, 'aria-hidden': 'true' }),
        `${line.text} `, value));
      return value;
    });
    const canvas = el('div', { class: 'canvas', role: 'img', 'aria-label': spec.title });
    return { spec, legend, values, canvas, plot: null, figure: el('figure', {}, el('figcaption', {}, el('span', {}, spec.title), legend), canvas) };
  }

  /** Shows this history from now on. */
  use(history) {
    this.history = history;
    this.draw();
  }

  rebuild() {
    for (const chart of this.charts) {
      chart.plot?.destroy();
      chart.plot = null;
    }
    this.draw();
  }

  resize() {
    const width = byId('charts').clientWidth;
    if (width > 0) {
      this.charts.forEach(chart => chart.plot?.setSize({ width, height: HEIGHT }));
    }
  }

  draw() {
    const width = byId('charts').clientWidth;
    if (!this.history || width === 0) {
      return;
    }
    this.to = Date.now() / 1000;
    this.from = this.window === Infinity ? Math.min(this.to - 30, this.history.beginning(this.to)) : this.to - this.window;
    this.marks = this.history.happened().filter(event => eventKind(event.kind).mark && event.atMillis / 1000 >= this.from);
    const sources = {
      epochs: this.history.epochColumns(this.from, this.to, POINTS_MAX),
      samples: this.history.sampleColumns(this.from, this.to, POINTS_MAX),
    };
    for (const chart of this.charts) {
      const source = sources[chart.spec.source];
      const data = [source.at, ...chart.spec.lines.map(line => (chart.spec.logarithmic ? source[line.key].map(positive) : source[line.key]))];
      if (chart.plot === null) {
        chart.plot = new uPlot(this.options(chart, width), data, chart.canvas);
      } else {
        chart.plot.setData(data);
      }
      this.tell(chart, null);
    }
    this.drawTable();
  }

  options(chart, width) {
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue('--ink').trim();
    const grid = { stroke: style.getPropertyValue('--grid').trim(), width: 1 };
    const right = chart.spec.lines.find(line => line.right);
    const axis = { stroke: ink, grid, ticks: { show: false }, font: '12px system-ui, sans-serif' };
    const left = chart.spec.lines[0];
    return {
      // As much room on the right whether there is an axis or not, so that the same moment is in the same place in all charts.
      width, height: HEIGHT, legend: { show: false }, padding: [8, right ? 6 : 64, 0, 0],
      cursor: { sync: { key: 'plover' }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => [this.from, this.to] },
        left: chart.spec.logarithmic ? { distr: 3, log: 10 } : { range: (u, min, max) => [0, Math.max(1, (max ?? 1) * 1.15)] },
        right: { range: (u, min, max) => [0, right?.key === 'same' ? 100 : Math.max(1, (max ?? 1) * 1.15)] },
      },
      axes: [
        { ...axis, size: 24, values: (u, ticks) => ticks.map(t => clock(t * 1000).slice(0, this.to - this.from > 600 ? 5 : 8)), space: 80 },
        { ...axis, scale: 'left', size: 62, space: 28, values: (u, ticks) => ticks.map(t => (t === null ? '' : left.format(t))) },
        ...(right ? [{ ...axis, scale: 'right', side: 1, size: 58, space: 28, grid: { show: false }, values: (u, ticks) => ticks.map(t => right.format(t)) }] : []),
      ],
      series: [{}, ...chart.spec.lines.map(line => ({
        scale: line.right ? 'right' : 'left', stroke: style.getPropertyValue(`--line${line.colour}`).trim(), dash: line.dash,
        width: line.width ?? 1.5, spanGaps: false, points: { show: (u, s, first, last) => last - first < 2 },
      }))],
      hooks: {
        draw: [plot => this.drawMarks(plot, style)],
        setCursor: [plot => this.tell(chart, plot.cursor.idx)],
      },
    };
  }

  drawMarks(plot, style) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.font = `bold ${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.lineWidth = devicePixelRatio;
    let labelFrom = 0;
    for (const event of this.marks) {
      const kind = eventKind(event.kind);
      const x = plot.valToPos(event.atMillis / 1000, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) {
        continue;
      }
      ctx.strokeStyle = ctx.fillStyle = style.getPropertyValue(`--tone-${kind.tone}`).trim();
      ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top + 12 * devicePixelRatio);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      // Letters of what happened at about the same moment stand beside each other.
      const labelAt = Math.max(x, labelFrom);
      ctx.fillText(kind.mark, labelAt, bbox.top + 10 * devicePixelRatio);
      labelFrom = labelAt + 11 * devicePixelRatio;
    }
    ctx.restore();
  }

  /** Values below the pointer, or the newest, beside the names of the lines. */
  tell(chart, index) {
    const data = chart.plot?.data;
    if (!data) {
      return;
    }
    const last = data[0].length - 1;
    const at = index === null || index === undefined ? last : index;
    const said = chart.spec.lines.map((line, i) => {
      const value = data[i + 1][at];
      const text = value === null || value === undefined ? '-' : line.format(value);
      setText(chart.values[i], text);
      return `${line.text} ${text}`;
    });
    chart.canvas.setAttribute('aria-label', `${chart.spec.title}: ${said.join(', ')}`);
  }

  drawTable() {
    if (!byId('epoch-table-box').open || !this.history) {
      return;
    }
    const head = ['epoch', 'ended', 'interval', 'pause', 'commit', 'apply', 'pages', 'same', 'sent', 'reason'];
    const rows = this.history.epochs.slice(-TABLE_ROWS).reverse();
    show(byId('epoch-table'), el('caption', { class: 'unseen' }, 'The last epochs, newest first'),
      el('thead', {}, el('tr', {}, head.map(text => el('th', { scope: 'col' }, text)))),
      el('tbody', {}, rows.map(r => el('tr', {}, [
        r.epoch, clock(r.at * 1000), micros(r.intervalMicros), micros(r.pauseMicros), micros(r.commitMicros), micros(r.applyMicros), count(r.dirtyPages),
        r.dirtyPages > 0 ? percent(100 * r.samePages / r.dirtyPages) : '-', bytes(r.transferredBytes), r.reason,
      ].map(text => el('td', {}, String(text)))))));
  }
}
