// What the page knows before it shows anything: who we are, the line to the server, and what still
// waits to be sent. No document here; `page.js` shows it all.

const BACKOFF_BASE = 500, BACKOFF_CAP = 30_000; // ms; the wait is drawn from 0 to min(cap, base * 2^attempt)
const TRY_LATER_FLOOR = 3_000;                  // ms; least wait after close 1013, "try again later"
const CONNECT_TIMEOUT = 10_000;                 // ms from opening to the room's history
const STABLE_AFTER = 5_000;                     // ms online before the back-off starts afresh
const ECHO_TIMEOUT = 15_000;                    // ms; a sent message without an echo means a dead connection
const FINAL = [1000, 1008];                     // close codes that mean: do not come back

/** What outlives a reload. A browser that forbids storage only loses that. */
export const store = {
  get(area, key, otherwise) { try { return JSON.parse(area().getItem(`chat:${key}`)) ?? otherwise; } catch { return otherwise; } },
  set(area, key, value) { try { area().setItem(`chat:${key}`, JSON.stringify(value)); } catch { /* full or forbidden */ } },
};
export const tab = () => sessionStorage, browser = () => localStorage;

/** The token that says who we are. Whoever shows an old one keeps the id, so it is renewed for each connection. */
export class Pass {
  constructor(name) { Object.assign(this, { name, token: store.get(tab, `token:${name}`, '') }); }
  headers() { return this.token ? { Authorization: `Bearer ${this.token}` } : {}; }

  async renew(signal) {
    const body = JSON.stringify({ name: this.name });
    const response = await fetch('api/login', { method: 'POST', headers: this.headers(), body, signal });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.message), { final: response.status === 400 });
    this.token = answer.token;
    store.set(tab, `token:${this.name}`, this.token);
  }
}

/** One connection at a time, and when to try again. `onState` is told each change. */
export class Link {
  constructor(pass, room, onMessage, onState) { Object.assign(this, { pass, room, onMessage, onState, attempt: 0, state: 'closed' }); }

  async open() {
    this.drop();
    const { signal } = this.opening = new AbortController();
    this.timer = setTimeout(() => this.lost(1006), CONNECT_TIMEOUT);
    this.show('connecting');
    try {
      await this.pass.renew(signal);
      signal.throwIfAborted();
      this.connect();
    } catch (error) {
      if (!signal.aborted) this.lost(error.final ? 1008 : 1006, error.final ? error.message : '');
    }
  }
  /** A page cannot set headers for a socket, and addresses are logged: the token goes as a subprotocol. */
  connect() {
    const url = new URL(`chat/${encodeURIComponent(this.room)}`, location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = this.socket = new WebSocket(url, ['chat', `bearer.${this.pass.token}`]);
    socket.onmessage = event => { const message = parse(event.data); if (message) this.onMessage(message); };
    socket.onclose = event => this.lost(event.code, event.reason);
  }
  /** The room's history has come. */
  ready() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.attempt = 0; }, STABLE_AFTER);
    this.show('online');
  }
  send(message) { this.socket.send(JSON.stringify(message)); }
  lost(code, reason = '') {
    this.drop();
    if (FINAL.includes(code)) return this.show('closed', { code, reason });
    const wait = backoff(this.attempt++, code);
    this.due = Date.now() + wait;
    this.timer = setTimeout(() => this.open(), wait);
    this.show('waiting', { code });
  }
  /** Skips the wait; nothing else. */
  hurry() { if (this.state === 'waiting') this.open(); }
  leave() { this.drop(); this.show('closed', { code: 1000, reason: '' }); }
  drop() {
    clearTimeout(this.timer);
    this.opening?.abort();
    const socket = this.socket;
    this.socket = null;
    if (socket) { socket.onmessage = socket.onclose = null; socket.close(1000); }
  }
  show(state, detail = {}) { this.state = state; this.onState(state, detail); }
}

function backoff(attempt, code) {
  const wait = Math.random() * Math.min(BACKOFF_CAP, BACKOFF_BASE * 2 ** attempt);
  return code === 1013 ? Math.max(TRY_LATER_FLOOR, wait) : wait;
}
function parse(text) { try { return JSON.parse(text); } catch { return null; } }

/** What was composed and has not come back yet, in order. */
export class Outbox {
  constructor(key) {
    this.key = key;
    this.items = store.get(tab, key, []);
    this.flying = new Map();                      // clientId → when it was sent over this connection
    this.pausedUntil = 0;
  }
  add(item) { this.items.push(item); this.save(); return item; }
  find(clientId) { return this.items.find(item => item.clientId === clientId); }
  waiting() { return this.items.filter(item => !item.error); }
  take(clientId) {
    const item = this.find(clientId);
    this.items = this.items.filter(other => other !== item);
    this.flying.delete(clientId);
    this.save();
    return item;
  }
  fail(item, error) { item.error = error; this.flying.delete(item.clientId); this.save(); }
  /** The server answers in order, so a message that was too fast is the first that has no answer. */
  pause(ms) { this.flying.delete(this.flying.keys().next().value); this.pausedUntil = Date.now() + ms; }
  overdue() { return [...this.flying.values()].some(since => Date.now() - since > ECHO_TIMEOUT); }
  save() { store.set(tab, this.key, this.items); }
}

/** `crypto.randomUUID` exists only on https and localhost. */
export function newId() { return [...crypto.getRandomValues(new Uint32Array(4))].map(word => word.toString(36)).join(''); }
