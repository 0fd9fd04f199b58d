// What the page shows, and what one does with it. Text from the network only ever becomes `textContent`.

import { ICONS, avatar, create, hueOf, icon, initials, messageElement } from './elements.js';
import { Link, Outbox, Pass, browser, newId, store, tab } from './link.js';

const TYPING_EVERY = 3_000, TYPING_LASTS = 5_000; // ms
const ROOMS_EVERY = 10_000;                       // ms between two looks at the other rooms
const ROOMS_SHOWN = 30;
const GROUP_WITHIN = 5 * 60_000;                  // ms between messages that share one heading
const IN_FLIGHT = 10;                             // messages sent and not answered yet
const TOO_BIG = 1009;

const $ = id => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

// ---- What was composed, on its way

/** Sends what waits. Only after the history: it may hold what an earlier connection delivered. */
function flush() {
  if (link?.state !== 'online' || moving || Date.now() < outbox.pausedUntil) return;
  for (const item of outbox.waiting()) {
    if (outbox.flying.size >= IN_FLIGHT) return;
    const { clientId, text, to } = item;
    if (outbox.flying.has(clientId)) continue;
    if (to?.id && !isHere(to)) { refused(item, `${to.name} is not here now`); continue; }
    const who = to?.id ? { type: 'private', targetUserId: to.id } : { type: to ? 'announce' : 'chat' };
    link.send({ ...who, text, clientId });
    outbox.flying.set(clientId, Date.now());
  }
}
function compose(text, to) {
  const item = outbox.add({ clientId: newId(), text, to, at: new Date().toISOString() });
  mine.add(item.clientId);
  store.set(tab, 'mine', [...mine].slice(-500));
  showPending(item);
  scrollDown();
  flush();
  showState();
}
function slowDown(ms) {
  outbox.pause(ms);
  setTimeout(flush, ms + 50);
}
/** The echo of one of ours: it takes its place behind everything delivered before it. */
function delivered(clientId, timestamp) {
  const item = outbox.take(clientId), element = shown.get(clientId);
  place(element, 'delivered', timestamp ?? item.at);
  showState();
  flush();
}
function refused(item, reason) {
  outbox.fail(item, reason);
  dress(shown.get(item.clientId), 'failed', item.at);
  showState();
  toast(reason);
}
function tryAgain(item) {
  discard(item);
  const same = item.to && [...people.values()].filter(person => person.name === item.to.name);
  compose(item.text, same?.length === 1 ? same[0] : item.to);
}
function discard(item) { outbox.take(item.clientId); shown.get(item.clientId)?.remove(); shown.delete(item.clientId); showState(); }
// ---- What the server says

/** Where we go, until the server says that we are there. */
let moving = '';
let link, pass, outbox, me, people = new Map(), shown = new Map(), writing = new Map(), lastDay = '';
let mine = new Set(store.get(tab, 'mine', []));

const hear = {
  __proto__: null,
  'room-history'({ you, messages, users }) {
    me.id = you.id;
    people = new Map(users.map(user => [user.id, user]));
    writing.clear();
    const gap = shown.size > outbox.items.length && messages.length >= 50 && !messages.some(message => shown.has(keyOf(message)));
    if (gap) addLine('Some messages in between may be missing here');
    messages.forEach(showMessage);
    link.ready();
    showPeople();
    showRooms();
    flush();
  },
  'chat-message'(message) { writing.delete(message.user.id); showTyping(); showMessage(message); },
  announcement(message) { writing.delete(message.user.id); showTyping(); showMessage({ ...message, loud: true }); },
  system_message({ message }) { addLine(message, 'line system'); },
  'room-switched'({ roomId }) { link.room = roomId; enter(roomId); },
  'private-message'({ text, from, timestamp }) { append(messageElement({ text, user: from, note: 'only to you' }), 'delivered', timestamp); },
  'private-message-sent'({ to, text, clientId }) {
    const item = outbox.find(clientId) ?? outbox.items.find(item => item.to?.id === to && item.text === text);
    if (item) delivered(item.clientId);
  },
  'user-joined'({ user }) { people.set(user.id, user); showPeople(); addLine(`${user.name} joined`); },
  'user-left'({ user }) { people.delete(user.id); writing.delete(user.id); showPeople(); showTyping(); addLine(`${user.name} left`); },
  typing({ user, isTyping }) {
    if (user.id === me.id) return;
    if (isTyping) writing.set(user.id, { name: user.name, until: Date.now() + TYPING_LASTS }); else writing.delete(user.id);
    showTyping();
  },
  error({ message, clientId, retryAfter }) {
    const item = outbox.find(clientId);
    if (item) {
      refused(item, message);
      return flush();
    }
    if (retryAfter) return slowDown(retryAfter);
    moving = '';
    toast(message);
  },
};
function onMessage(message) { hear[message.type]?.(message); }

// ---- Messages on the page

/** A server's ids start again when it does, so its time is part of the key. */
function keyOf(message) { return message.clientId ?? `${message.id ?? message.type} ${message.timestamp}`; }
function showMessage(message) {
  const key = keyOf(message);
  if (outbox.find(key)) return delivered(key, message.timestamp);
  if (shown.has(key)) return;
  const own = mine.has(key) || message.user.id === me.id;
  const element = messageElement({ text: message.text, user: message.user, own, loud: message.loud });
  shown.set(key, element);
  append(element, 'delivered', message.timestamp);
}
function showPending(item) {
  const element = messageElement({ text: item.text, user: me, own: true, loud: Boolean(item.to?.loud), note: item.to?.id ? `only to ${item.to.name}` : '' });
  element.dataset.clientId = item.clientId;
  shown.set(item.clientId, element);
  $('messages').append(element);
  dress(element, item.error ? 'failed' : 'pending', item.at);
}
/** Delivered messages stand above those that still wait. */
function append(element, state, timestamp) {
  const stick = atEnd();
  place(element, state, timestamp);
  if (stick) scrollDown(); else $('newer').hidden = false;
  if (document.hidden && state === 'delivered') document.title = `• #${me.room}`;
}
function place(element, state, timestamp) {
  const day = calendar.format(new Date(timestamp));
  if (day !== lastDay) insert(create('p', { className: 'line day', textContent: day === calendar.format(new Date()) ? 'Today' : day }));
  lastDay = day;
  insert(element);
  dress(element, state, timestamp);
}
function insert(element) {
  element.classList.remove('pending', 'failed');
  const next = $('messages').querySelector('.pending, .failed'), left = element.nextElementSibling;
  if (element.isConnected && left === next) return;
  if (element.isConnected) element.classList.remove('fresh');
  $('messages').insertBefore(element, next);
  [left, element, next].forEach(group);
}
function addLine(text, className = 'line') {
  const stick = atEnd();
  insert(create('p', { className, textContent: text }));
  if (stick) scrollDown();
}
/** Shows state and time of a message: a clock while it waits, a tick when it is delivered. */
function dress(element, state, timestamp) {
  const item = outbox.find(element.dataset.clientId), time = new Date(timestamp), meta = element.querySelector('.meta');
  element.classList.toggle('pending', state === 'pending');
  element.classList.toggle('failed', state === 'failed');
  Object.assign(element.dataset, { state, time: +time });
  meta.replaceChildren(create('time', { textContent: clock.format(time), dateTime: time.toISOString() }));
  if (element.classList.contains('mine') && state !== 'failed') meta.append(icon(...ICONS[state]));
  element.querySelector('.trouble')?.remove();
  if (state === 'failed') element.querySelector('.bubble').append(troubleElement(item));
  group(element);
}
function troubleElement(item) {
  return create('p', { className: 'trouble' }, `Not delivered: ${item.error}`,
    create('button', { className: 'quiet', textContent: 'Try again', onclick: () => tryAgain(item) }),
    create('button', { className: 'quiet', textContent: 'Discard', onclick: () => discard(item) }));
}
function group(element) {
  const one = element?.previousElementSibling?.dataset, other = element?.dataset;
  const together = one?.author && one.author === other.author && other.time - one.time < GROUP_WITHIN;
  element?.classList.toggle('grouped', Boolean(together));
}
let atBottom = true;
function atEnd() { const list = $('messages'); return list.scrollHeight - list.scrollTop - list.clientHeight < 80; }
function scrollDown() { const list = $('messages'); list.scrollTop = list.scrollHeight; $('newer').hidden = true; }

// ---- Rooms, people, typing, state

/** The other rooms as they are now; without an answer, as they were. */
async function showRooms() {
  if (link?.state !== 'online' || document.hidden) return;
  const response = await fetch('rooms', { headers: pass.headers() }).catch(() => null);
  if (!response?.ok || !me) return;
  const others = Object.entries(await response.json()).filter(([name]) => name !== me.room && goodRoom(name));
  others.sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
  $('rooms').replaceChildren(...others.slice(0, ROOMS_SHOWN).map(([name, count]) => roomElement(name, count)));
}
function roomElement(name, count) {
  const label = create('span', { className: 'who', textContent: `# ${name}` }), number = create('small', { textContent: count });
  number.setAttribute('aria-label', count === 1 ? '1 person' : `${count} people`);
  const element = create('li', { className: 'other' }, create('button', { onclick: () => goTo(name) }, label, number));
  element.dataset.testid = 'other-room';
  return element;
}

function showPeople() {
  const others = [...people.values()].filter(person => person.id !== me.id).sort((a, b) => a.name.localeCompare(b.name));
  $('users').replaceChildren(userElement(me, true), ...others.map(person => userElement(person, false)));
  $('count').textContent = people.size === 1 ? 'Only you are here' : `${people.size} people here`;
  $('people-count').textContent = people.size;
  showTarget();
}
function userElement(person, isMe) {
  const label = create('span', { className: 'who', textContent: person.name });
  const inner = isMe ? create('div') : create('button', { title: `Write to ${person.name} alone`, onclick: () => writeTo(person) });
  if (person.guest) label.append(' ', create('small', { textContent: 'guest' }));
  inner.append(avatar(person.name), label, isMe ? create('small', { textContent: 'you' }) : icon(...ICONS.private));
  const element = create('li', { className: 'user' }, inner);
  element.dataset.testid = 'user';
  return element;
}
function showTyping() {
  const names = [...writing.values()].filter(one => one.until > Date.now()).map(one => one.name);
  const text = ['', `${names[0]} is typing…`, `${names.join(' and ')} are typing…`][names.length] ?? 'Several people are typing…';
  if ($('typing').textContent !== text) $('typing').textContent = text;
}
const SAYS = { online: 'Online', connecting: 'Connecting…', waiting: 'Reconnecting…', offline: 'Offline', closed: 'Disconnected' };
const EXPLAINS = { ...SAYS, offline: 'This device is offline.', closed: 'You are disconnected.' };
function onState(state, { code, reason }) {
  const first = outbox.find(outbox.flying.keys().next().value);
  outbox.flying.clear();
  if (code === TOO_BIG && first) refused(first, 'The message is too long');
  if (state === 'closed' && reason) toast(reason);
  moving = '';
  writing.clear();
  showTyping();
  showTarget();
  showState();
  if ($('announce').textContent !== SAYS[state]) $('announce').textContent = SAYS[state];
}
function showState() {
  const state = link.state === 'waiting' && !navigator.onLine ? 'offline' : link.state;
  const seconds = Math.max(1, Math.ceil((link.due - Date.now()) / 1000)), waiting = outbox.waiting().length;
  const held = waiting ? ` ${waiting} unsent.` : '';
  const text = state === 'waiting' ? `Connection lost. Reconnecting in ${seconds} s.` : EXPLAINS[state];
  $('chat').dataset.state = $('state').dataset.state = state;
  $('state').textContent = SAYS[state];
  $('banner').hidden = state === 'online' || (state === 'connecting' && link.attempt === 0 && !waiting);
  $('banner-text').textContent = text + held;
  $('retry').hidden = state === 'connecting';
}
function tick() {
  if (!link) return;
  if (outbox.overdue()) link.lost(1006);
  if (link.state === 'waiting') showState();
  showTyping();
}

// ---- Composer: the draft, its addressee, and who sees us typing

/** For everyone in the room, and not to be overlooked. */
const LOUD = { loud: true };
let target = null, toldTyping = 0;

function writeTo(person) {
  target = person && (person.loud ? LOUD : { id: person.id, name: person.name });
  drawer(false);
  tellTyping(false);
  showTarget();
  saveDraft();
  $('composer').focus();
}
/** A private draft never turns public by itself: if its addressee leaves, it waits. */
function targetGone() { return Boolean(target?.id) && link?.state === 'online' && !isHere(target); }
/** A server that starts again may give an old id to someone else: the name must match as well. */
function isHere({ id, name }) { return people.get(id)?.name === name; }
function showTarget() {
  const loud = Boolean(target?.loud), gone = targetGone();
  $('to').hidden = target === null;
  $('to').classList.toggle('gone', gone);
  $('to-text').textContent = target && (loud ? `Announcing to #${me.room}` : gone ? `${target.name} is not here now` : `Only to ${target.name}`);
  $('to-all').textContent = loud ? 'Write as usual' : 'Write to everyone';
  $('loud').setAttribute('aria-pressed', String(loud));
  $('composer').placeholder = loud ? `Announce to #${me.room}` : `Message ${target ? target.name : `#${me.room}`}`;
}
function submit() {
  const text = $('composer').value.trim();
  if (!text || moving) return;
  if (targetGone()) return toast(`${target.name} is not here now. Choose someone else, or write to everyone.`);
  $('composer').value = '';
  toldTyping = 0; // what one says ends the typing
  const to = target;
  if (target?.loud) target = null;
  saveDraft();
  showTarget();
  compose(text, to);
}
function saveDraft() {
  store.set(tab, `draft:${me.room}`, { text: $('composer').value, target });
  grow();
}
/** The composer is as high as its text. */
function grow() {
  const field = $('composer');
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
function loadDraft() {
  const draft = store.get(tab, `draft:${me.room}`, { text: '', target: null });
  target = draft.target;
  $('composer').value = draft.text;
  saveDraft();
}
function tellTyping(isTyping) {
  const now = Date.now();
  if (link?.state !== 'online' || (isTyping ? target || now - toldTyping < TYPING_EVERY : !toldTyping)) return;
  toldTyping = isTyping ? now : 0;
  link.send({ type: 'typing', isTyping });
}

// ---- Joining, leaving

function join(name, room) {
  me = { id: '', name, room };
  pass = new Pass(name);
  link = new Link(pass, room, onMessage, onState);
  $('rooms').replaceChildren();
  enter(room);
  link.open();
  $('composer').focus();
}
/** Clears the page for a room, and shows what was left there last time. */
function enter(room) {
  me.room = room;
  moving = '';
  [people, shown, lastDay] = [new Map(), new Map(), ''];
  outbox = new Outbox(`outbox:${room}:${me.name}`);
  store.set(browser, 'last', { name: me.name, room });
  store.set(tab, 'joined', { name: me.name, room });
  history.replaceState(null, '', `?room=${encodeURIComponent(room)}`);
  showRoom();
  outbox.items.forEach(showPending);
  loadDraft();
  showPeople();
  showState();
}
/** Goes to another room: over the same connection, or with the next one. */
function goTo(room) {
  drawer(false);
  if (room === me.room) return;
  tellTyping(false);
  if (link.state === 'online') {
    moving = room;
    link.send({ type: 'switch-room', room });
  } else {
    link.drop();
    join(me.name, room);
  }
  $('composer').focus();
}
function showRoom() {
  $('join').hidden = true;
  $('chat').hidden = false;
  $('title').replaceChildren(create('i', { textContent: '# ' }), me.room);
  $('side-room').textContent = `# ${me.room}`;
  $('my-name').textContent = me.name;
  $('my-avatar').textContent = initials(me.name);
  $('my-avatar').style.setProperty('--hue', hueOf(me.name));
  $('messages').replaceChildren();
  document.title = `#${me.room}`;
}
function leave() {
  const kept = outbox.waiting().length;
  tellTyping(false);
  link.leave();
  link = null;
  store.set(tab, 'joined', null);
  drawer(false);
  showJoin(me.name, me.room);
  if (kept) toast(`Kept for when you come back to #${me.room}: ${kept} unsent`);
}
function showJoin(name, room) {
  $('chat').hidden = true;
  $('join').hidden = false;
  document.title = 'Rushwire chat';
  $('name').value = name;
  $('room').value = room;
  (name ? $('room') : $('name')).focus();
}
/** The address names a room, and perhaps a user; a reload comes back as who one was. */
function start() {
  const asked = new URLSearchParams(location.search), last = store.get(browser, 'last', {}), joined = store.get(tab, 'joined', null);
  const name = asked.get('user')?.trim(), room = asked.get('room')?.trim();
  if (name && goodRoom(room)) return join(name, room);
  if (joined && (!room || room === joined.room)) return join(joined.name, joined.room);
  showJoin(name || last.name || '', room || last.room || 'lobby');
}
/** A room is one segment of a path, and `.` and `..` mean something else there. */
function roomOf(field) { return field.value.trim().replace(/^#\s*/, ''); }
function goodRoom(room) { return Boolean(room) && !/^\.+$/.test(room); }

// ---- Small things

let toastTimer;
function toast(text) {
  $('toast-text').textContent = text;
  $('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').hidden = true; }, 7_000);
}
function drawer(open) {
  const was = $('chat').classList.contains('open');
  $('chat').classList.toggle('open', open);
  $('people').setAttribute('aria-expanded', String(open));
  $('room-pane').inert = open;
  if (open) $('side').querySelector('button').focus(); else if (was) $('people').focus();
}

$('join-form').onsubmit = event => {
  event.preventDefault();
  const room = roomOf($('room')), name = $('name').value.trim();
  if (!name || !goodRoom(room)) return toast(name ? 'Please choose another room name' : 'Please enter a name');
  join(name, room);
};
$('composer-form').onsubmit = event => { event.preventDefault(); submit(); };
$('composer').oninput = () => { saveDraft(); tellTyping($('composer').value.trim() !== ''); };
$('composer').onkeydown = event => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
};
$('go-form').onsubmit = event => {
  event.preventDefault();
  const room = roomOf($('go'));
  if (!goodRoom(room)) return toast('Please choose another room name');
  $('go').value = '';
  goTo(room);
};
$('loud').onclick = () => writeTo(target?.loud ? null : LOUD);
$('to-all').onclick = () => writeTo(null);
$('leave').onclick = leave;
$('retry').onclick = () => link.open();
$('people').onclick = () => { drawer(true); showRooms(); };
$('scrim').onclick = () => drawer(false);
$('newer').onclick = scrollDown;
$('messages').onscroll = () => { atBottom = atEnd(); if (atBottom) $('newer').hidden = true; };
new ResizeObserver(() => { if (atBottom) scrollDown(); }).observe($('messages'));
$('toast-close').onclick = () => { $('toast').hidden = true; };
document.onkeydown = event => { if (event.key === 'Escape') { $('toast').hidden = true; drawer(false); } };
document.onvisibilitychange = () => { if (!document.hidden && link) { link.hurry(); document.title = `#${me.room}`; } };
window.onresize = grow;
window.ononline = () => link?.hurry();
window.onoffline = () => { if (link) showState(); };
matchMedia('(max-width: 47.99rem)').onchange = () => drawer(false);
setInterval(tick, 500);
setInterval(showRooms, ROOMS_EVERY);
start();
