import type { Identity } from '../core/identity.ts';
import type { Environment, Field, Variable } from './environment.ts';
import type { RequestRoute } from '../core/request.ts';
import { claimsMap, type Scope } from './scope.ts';
import { textMap } from './values/request-maps.ts';
import { Timestamp } from './values/value.ts';

const timestamp = 'google.protobuf.Timestamp';
const texts = 'map<string, string>';

/** The request after its one reading (S23). `path` is what rules are matched by. */
const request = record({
  id: text(({ request: { id } }) => id),
  method: text(({ request }) => request.request.method),
  path: text(({ request }) => request.request.pathWithoutParameters),
  rawPath: text(({ request }) => request.request.rawPath),
  query: { type: 'map<string, list<string>>', read: ({ request }) => request.query },
  headers: { type: texts, read: ({ request }) => request.headers, refuseKey: refuseHeaderName },
  host: text(({ request }) => request.request.host),
  scheme: text(({ request }) => request.request.scheme),
  clientIp: text(({ request }) => request.request.clientIp),
  protocol: text(({ request }) => request.request.protocol),
  time: { type: timestamp, read: ({ request }) => request.time },
});

const identity = record({
  subject: text(({ identity }) => identity.subject),
  issuer: text(({ identity }) => identity.issuer),
  provider: text(({ identity }) => identity.provider),
  clientId: text(({ identity }) => identity.clientId),
  authenticated: { type: 'bool', read: ({ identity }) => identity.authenticated },
  scopes: { type: 'list<string>', read: ({ identity }) => identity.scopes },
  roles: { type: 'list<string>', read: ({ identity }) => identity.roles },
  claims: { type: 'map<string, dyn>', read: ({ identity }) => claimsOf(identity) },
  expiresAt: {
    type: timestamp,
    read: ({ identity: { expiresAt } }) =>
      expiresAt === undefined ? undefined : new Timestamp(BigInt(Math.round(expiresAt * 1000)) * 1_000_000n),
  },
  signals: { type: 'map<string, dyn>', read: ({ identity }) => signalsOf(identity), refuseKey: refuseSignalName },
});

const peer = record({
  subject: text(({ peer }) => peer?.subject ?? ''),
  provider: text(({ peer }) => peer?.provider ?? ''),
  claims: { type: 'map<string, dyn>', read: ({ peer }) => claimsOf(peer) },
});

const context: Variable = { kind: 'plain', type: texts, read: ({ request }) => request.context };

const route = record({
  kind: text(({ route }) => route?.kind),
  namespace: text(({ route }) => route?.namespace),
  name: text(({ route }) => route?.name),
  section: text(({ route }) => route?.section),
  annotations: { type: texts, read: ({ route }) => annotationsOf(route) },
});

const policy = record({
  namespace: text(({ policy }) => policy.namespace),
  name: text(({ policy }) => policy.name),
  rule: text(({ policy }) => policy.rule),
});

const everything: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ['request', request],
  ['identity', identity],
  ['peer', peer],
  ['context', context],
  ['route', route],
  ['policy', policy],
]);

/** Where expressions stand in a policy, and what they see there. A new place is a new entry. */
export const policyEnvironments = {
  /** `upstream.headers[].expression`. */
  header: { variables: everything, result: 'header' },
  /** `when` of rules that allow. */
  condition: { variables: everything, result: 'condition' },
  /** A part of a question to somebody else: exactly one text, of `texts` a list of them. Nothing may be absent. */
  text: { variables: everything, result: 'text' },
  texts: { variables: everything, result: 'texts' },
  /** `when` of Denied rules, which run before identity (S15). */
  deniedCondition: { variables: new Map([['request', request]]), result: 'condition' },
} as const satisfies Readonly<Record<string, Environment>>;

export type PolicyEnvironment = keyof typeof policyEnvironments;

function record(fields: Readonly<Record<string, Field>>): Variable {
  return { kind: 'record', fields: new Map(Object.entries(fields)) };
}

function text(read: (scope: Scope) => string | undefined): Field {
  return { type: 'string', read };
}

/** An identity of a kind that has no claims has none to ask for: `has(identity.claims)` tells. */
function claimsOf(identity: Identity | undefined): ReturnType<Field['read']> {
  return identity?.claims === undefined ? undefined : claimsMap(identity.claims);
}

/** What nobody has signalled is no key of the map, which is always there: `has(identity.signals.riskLevel)` asks (S24). */
function signalsOf({ signals }: Identity): ReturnType<Field['read']> {
  return signals === undefined ? noSignals : claimsMap(signals);
}

const noSignals = claimsMap({});
const signalNames = ['riskLevel', 'assuranceLevel', 'deviceCompliance', 'accountDisabled'] as const;

/** A misspelt fact would never be there, and a rule that asks for its absence would always hold. */
function refuseSignalName(name: string): string | undefined {
  return signalNames.some((known) => known === name) ? undefined : `the signals are ${signalNames.join(', ')}`;
}

function annotationsOf(route: RequestRoute | undefined): ReturnType<Field['read']> {
  return route === undefined ? undefined : textMap(route.annotations);
}

function refuseHeaderName(name: string): string | undefined {
  return name === name.toLowerCase() ? undefined : 'the names of headers are in lower case';
}
