import type { Decision } from '../core/decision.ts';
import { Failure } from '../core/failure.ts';
import type { JsonObject } from '../core/json.ts';
import type { Logger, PasswordChecker, Random, Timers } from '../core/ports.ts';
import { hasError, type Problem } from '../core/problem.ts';
import type { RawRequest } from '../core/request.ts';
import type { Engine } from '../engine/engine.ts';
import type { TokenAnswers } from '../engine/answered-introspection.ts';
import { createOfflineEngine } from '../engine/offline-engine.ts';
import { createCheckRequestDecoder } from '../envoy/decode-check-request.ts';
import { encodeCheckRequest } from '../envoy/check-client.ts';
import { codecOf } from '../envoy/protos.ts';
import type { IntrospectionProviderSpec } from '../policy/provider-spec.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { reviewsOf } from './granted-access.ts';
import { judgeDecision } from './judge-decision.ts';
import type { CaseRequest, DecisionCase, PolicyTest, PolicyTestOptions } from './policy-test.ts';
import { accountTokensOf, issuersOf, readIssuable } from './token-issuers.ts';
import { createTokenMint, type IssuerSpec, type TokenMint } from './token-mint.ts';

export interface TestedCase {
  readonly name: string;
  /** What was not as expected; empty where the case passed. */
  readonly differences: readonly string[];
  readonly decision: 'allow' | 'deny';
  readonly status: number;
  readonly code: string;
  readonly message: string | undefined;
  readonly policy: string;
  readonly rule: string;
}

export interface TestedPolicies {
  readonly cases: readonly TestedCase[];
  /** Of the policies: what was refused is not in force. */
  readonly problems: readonly Problem[];
}

export interface TestPorts {
  readonly timers: Timers;
  readonly random: Random;
  readonly passwords: PasswordChecker;
}

const serviceNamespace = 'portcullis';
const nowhere = (): void => undefined;
const silent: Logger = { debug: nowhere, info: nowhere, warn: nowhere, error: nowhere };

/**
 * Decides every case on the engine that serves, without a network, at the time of the test, with issuers of its own. `checks` are the contents of
 * the case's `checkFile`. Throws a Failure for what cannot be run: `issuer_unknown`, `issuer_without_alg`, `token_has_no_header`, `token_without_key`,
 * `time_malformed`, `request_undecodable`.
 */
export async function runPolicyTest(
  test: PolicyTest,
  documents: readonly AuthorDocument[],
  checks: ReadonlyMap<string, JsonObject>,
  ports: TestPorts,
): Promise<TestedPolicies> {
  const now = Date.parse(test.options.now ?? '2026-06-01T12:00:00Z');
  const issuers = issuersOf(test.issuers, readIssuable(documents, serviceNamespace));
  const mint = await createTokenMint(issuers, test.tokens, now);
  const engine = await createTestEngine(test.options, { issuers, mint }, now, ports);
  try {
    await engine.apply({ documents, problems: [], unreadable: new Set() });
    const cases: TestedCase[] = [];
    for (const one of test.cases) cases.push(await runCase(one, { test, engine, mint, checks }));
    const { problems, documents: judged } = engine.status();
    const all = [...problems, ...judged.flatMap((document) => document.problems)];
    return { cases, problems: all.filter((problem) => hasError([problem])) };
  } finally {
    engine.close();
  }
}

async function createTestEngine(
  options: PolicyTestOptions,
  { issuers, mint }: { readonly issuers: readonly IssuerSpec[]; readonly mint: TokenMint },
  now: number,
  ports: TestPorts,
): Promise<Engine> {
  const jwks = new Map<string, string>();
  for (const { name } of issuers) jwks.set(name, JSON.stringify(await mint.jwks(name)));
  const answersOf = ({ name }: IntrospectionProviderSpec): TokenAnswers | undefined =>
    issuers.some((issuer) => issuer.name === name) ? (token) => mint.vouch(name, token) : undefined;
  const { trustedHops = 0, ownedHeaders = [], hostGrants, shadowAll = false } = options;
  const { forwardedClientCertFrom = [], accessGrants } = options;
  return createOfflineEngine(
    {
      trustedHops,
      maxHeaders: 200,
      serviceNamespace,
      hostGrants: hostGrants === undefined ? undefined : new Map(Object.entries(hostGrants)),
      ownedHeaders,
      shadowAll,
      forwardedClientCertFrom,
    },
    { kind: 'by-provider', jwksOf: ({ name }) => jwks.get(name), answersOf },
    {
      ...ports,
      clock: { now: () => now, monotonic: () => now },
      logger: silent,
      reviews: reviewsOf(accessGrants, accountTokensOf(issuers, mint, now)),
    },
  );
}

interface Stand {
  readonly test: PolicyTest;
  readonly engine: Engine;
  readonly mint: TokenMint;
  readonly checks: ReadonlyMap<string, JsonObject>;
}

async function runCase(one: DecisionCase, { test, engine, mint, checks }: Stand): Promise<TestedCase> {
  const token = one.token === undefined ? undefined : await mint.mint(one.token);
  const raw =
    one.request === undefined
      ? decode(encodeRaw(one.check ?? checks.get(one.checkFile ?? '') ?? {}))
      : decode(encodeCheckRequest(toProxied(one.request, token, test.options.transport)));
  const first = await engine.check(raw);
  const differences = judgeDecision(first, one.expect);
  // A second time, out of every cache.
  const again = differences.length > 0 ? differences : judgeDecision(await engine.check(raw), one.expect);
  return { name: one.name, differences: again, ...inShort(first) };
}

function toProxied(
  { method, host, path, headers, clientIp, contextExtensions = {}, route, peer }: CaseRequest,
  token: string | undefined,
  transport: PolicyTest['options']['transport'],
): Parameters<typeof encodeCheckRequest>[0] {
  const credential = token === undefined ? [] : [['authorization', `Bearer ${token}`] as const];
  return {
    method,
    host,
    target: path,
    scheme: transport === 'HTTPS' ? 'https' : 'http',
    headers: [...credential, ...headers.map(([name, value]) => [name.toLowerCase(), value] as const)],
    form: 'apart',
    clientAddress: clientIp ?? '127.0.0.1',
    contextExtensions,
    route,
    peer,
  };
}

function encodeRaw(check: JsonObject): Uint8Array {
  return codecOf('envoy.service.auth.v3.CheckRequest').encode(check);
}

function decode(bytes: Uint8Array): RawRequest {
  const decoded = createCheckRequestDecoder().decode(bytes);
  if (decoded.kind === 'undecodable') throw new Failure('request_undecodable', decoded.why);
  return decoded.request;
}

function inShort(decision: Decision): Omit<TestedCase, 'name' | 'differences'> {
  const { policy, rule } = decision.about;
  return decision.kind === 'allow'
    ? { decision: 'allow', status: 200, code: 'ok', message: undefined, policy, rule }
    : {
        decision: 'deny',
        status: decision.status,
        code: decision.denial.code,
        message: decision.denial.message,
        policy,
        rule,
      };
}
