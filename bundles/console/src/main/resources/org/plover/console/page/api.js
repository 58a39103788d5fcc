// The REST API of the appliance: the only way in which the page learns or changes anything.

const BASE = '/plover/api/v1';
const ANSWER_MILLIS_MAX = 10_000;
const TOKEN_HEADER = 'X-Plover-Token';

/** A request that was not carried out; the message is for the operator. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

let csrfToken = '';

async function call(method, path, body) {
  const headers = { Accept: 'application/json' };
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
  }
  if (method !== 'GET') {
    headers[TOKEN_HEADER] = csrfToken;
  }
  let response;
  try {
    response = await fetch(BASE + path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin', cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MILLIS_MAX),
    });
  } catch (e) {
    throw new ApiError(0, 'no-answer', e.name === 'TimeoutError'
      ? `no answer within ${ANSWER_MILLIS_MAX / 1000} s` : 'the appliance cannot be reached');
  }
  const text = await response.text();
  let json = null;
  try {
    json = text === '' ? null : JSON.parse(text);
  } catch (e) {
    if (response.ok) {
      throw new ApiError(response.status, 'no-json', `${method} ${path} was answered by something that is not JSON`);
    }
  }
  if (!response.ok) {
    throw new ApiError(response.status, json?.code ?? '', json?.error ?? (response.status === 401
      ? 'not logged in, or the session has ended: load the page again' : `the appliance answered ${response.status}`));
  }
  return json;
}

const name = encodeURIComponent;

/** Who is logged in: {name, role}. The token against forged requests is kept here. */
export async function me() {
  const answer = await call('GET', '/me');
  csrfToken = answer.csrf;
  return answer;
}

export const vms = () => call('GET', '/vms');
export const epochs = (vm, since) => call('GET', `/vms/${name(vm)}/epochs?since=${since}`);
export const events = (vm, since) => call('GET', `/vms/${name(vm)}/events?since=${since}`);
export const providers = () => call('GET', '/providers');
export const settings = () => call('GET', '/settings');
export const changeSetting = (pid, values) => call('PATCH', `/settings/${name(pid)}`, values);
export const doctor = () => call('GET', '/doctor');
export const operations = () => call('GET', '/operations');
export const operation = id => call('GET', `/operations/${name(id)}`);
export const order = (vm, request) => call('POST', `/vms/${name(vm)}/operations`, request);
export const cancel = id => call('DELETE', `/operations/${name(id)}`);
export const plan = request => call('POST', '/plans', request);

const RANKS = ['viewer', 'operator', 'administrator'];

/** Whether somebody of one role may do what needs another. */
export function covers(role, needed) {
  return RANKS.indexOf(String(role).toLowerCase()) >= RANKS.indexOf(needed);
}
