// The three members as boxes, and what this one knows of the links between them.

import { svg, show, unchanged } from './dom.js';
import { conditionOf, micros, roleOf } from './words.js';

const BOX_HEIGHT = 96;
const MARGIN = 4;

/** Draws the group into an element, in its real width, so that text keeps its size on a phone. */
export function drawPicture(element, status) {
  const width = Math.max(280, Math.min(element.clientWidth || 640, 820));
  if (unchanged(element, [status.members, status.role, status.primary, status.synchronisationPercent, status.protectedNow, width])) {
    return;
  }
  const narrow = width < 520;
  const boxWidth = narrow ? Math.floor((width - 2 * MARGIN - 72) / 2) : 230;
  const height = narrow ? 2 * BOX_HEIGHT + 86 : 2 * BOX_HEIGHT + 46;
  const places = arrange(status, width, boxWidth, height);
  const picture = svg('svg', {
    width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': inWords(status), class: narrow ? 'group narrow' : 'group',
  });
  const placed = [...places.entries()];
  const self = placed.find(([member]) => member.self);
  for (let i = 0; i < placed.length; i++) {
    for (let j = i + 1; j < placed.length; j++) {
      const other = placed[i][0].self ? placed[j] : placed[j][0].self ? placed[i] : null;
      picture.append(other && self ? link(self[1], other[1], other[0], boxWidth) : unknownLink(placed[i][1], placed[j][1]));
    }
  }
  for (const [member, place] of placed) {
    picture.append(box(member, status, place, boxWidth));
  }
  show(element, picture);
}

/** Primary left, the other replica right, the witness below: whoever they are at the moment. */
function arrange(status, width, boxWidth, height) {
  const replicas = status.members.filter(m => m.kind !== 'witness');
  const witnesses = status.members.filter(m => m.kind === 'witness');
  const leads = m => m.name === status.primary || (m.self && status.role === 'PRIMARY');
  replicas.sort((a, b) => Number(leads(b)) - Number(leads(a)));
  const places = new Map();
  replicas.forEach((member, i) => places.set(member, { x: i === 0 ? MARGIN : width - boxWidth - MARGIN, y: MARGIN }));
  witnesses.forEach(member => places.set(member, { x: (width - boxWidth) / 2, y: height - BOX_HEIGHT - MARGIN }));
  return places;
}

function box(member, status, place, boxWidth) {
  const condition = conditionOf(member, status);
  const leads = member.name === status.primary;
  const group = svg('g', { class: `member ${condition.good ? 'good' : 'bad'}${leads ? ' leads' : ''}`, transform: `translate(${place.x} ${place.y})` });
  const middle = boxWidth / 2;
  group.append(
    svg('rect', { width: boxWidth, height: BOX_HEIGHT, rx: 8 }),
    svg('text', { x: middle, y: 26, class: 'name' }, shortened(member.name, boxWidth / 9)),
    svg('text', { x: middle, y: 48, class: 'role' }, roleOf(member, status) + (member.self ? ' (here)' : '')),
    svg('text', { x: middle, y: 70, class: 'condition' }, `${condition.good ? '✓' : '✗'} ${condition.text}`));
  if (leads || (member.self && status.role === 'PRIMARY')) {
    group.append(svg('text', { x: middle, y: 88, class: 'aside' }, member.self && status.role !== 'PRIMARY' ? '' : 'clients are here'));
  }
  return group;
}

function link(from, to, member, boxWidth) {
  const line = ends(from, to, boxWidth);
  const text = member.connected ? (member.roundTripMicros >= 0 ? micros(member.roundTripMicros) : 'connected') : 'cut';
  const width = 8 * text.length + 8;
  const x = (line.x1 + line.x2) / 2;
  const y = (line.y1 + line.y2) / 2;
  return svg('g', { class: `link ${member.connected ? 'good' : 'bad'}` },
    svg('line', line),
    svg('rect', { x: x - width / 2, y: y - 12, width, height: 24, rx: 12 }),
    svg('text', { x, y: y + 5 }, member.connected ? text : `✗ ${text}`));
}

function unknownLink(from, to) {
  const boxWidth = 0;
  return svg('g', { class: 'link unknown' }, svg('line', ends(from, to, boxWidth)));
}

function ends(from, to, boxWidth) {
  const left = from.x <= to.x ? from : to;
  const right = from.x <= to.x ? to : from;
  const half = BOX_HEIGHT / 2;
  if (left.y === right.y && boxWidth > 0) {
    return { x1: left.x + boxWidth, y1: left.y + half, x2: right.x, y2: right.y + half };
  }
  // The boxes are painted over what of a line lies under them.
  const w = boxWidth || 100;
  return { x1: left.x + w / 2, y1: left.y + half, x2: right.x + w / 2, y2: right.y + half };
}

function shortened(text, max) {
  return text.length <= max ? text : `${text.slice(0, Math.max(1, Math.floor(max) - 1))}…`;
}

/** The picture for those who do not see it. */
export function inWords(status) {
  return status.members.map(member => {
    const link = member.self ? '' : member.connected
      ? `, connected${member.roundTripMicros >= 0 ? ` with a round trip of ${micros(member.roundTripMicros)}` : ''}` : ', cut off from here';
    return `${member.name}: ${roleOf(member, status)}, ${conditionOf(member, status).text}${member.self ? ', this member' : ''}${link}`;
  }).join('. ');
}
