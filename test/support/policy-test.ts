import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { formatProblem } from '../../src/core/problem.ts';
import type { RequestRoute } from '../../src/core/request.ts';
import { readDocuments } from '../../src/files/read-documents.ts';
import type { AuthorDocument } from '../../src/policy/spec.ts';

/** A PolicyTest document (test/contract/policy-test.yaml), read for the runners. */
export interface PolicyTest {
  readonly name: string;
  readonly documents: readonly AuthorDocument[];
  readonly options: PolicyTestOptions;
  readonly issuers: Readonly<Record<string, { readonly alg?: string }>>;
  readonly tokens: Readonly<Record<string, TokenSpec>>;
  readonly cases: readonly DecisionCase[];
}

export interface PolicyTestOptions {
  readonly now?: string;
  readonly trustedHops?: number;
  readonly shadowAll?: boolean;
  readonly ownedHeaders?: readonly string[];
  readonly hostGrants?: Readonly<Record<string, readonly string[]>>;
}

export interface TokenSpec {
  readonly issuer?: string;
  readonly extends?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly sign?: 'OtherKey' | 'None' | 'HmacWithPublicKey';
}

export interface CaseRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly clientIp: string | undefined;
  /** What the proxy's configuration sets for the route (Envoy `context_extensions`). */
  readonly contextExtensions?: Readonly<Record<string, string>>;
  /** The route that the proxy says it chose (Envoy `route_metadata_context`). */
  readonly route?: RequestRoute | undefined;
}

export interface DecisionCase {
  readonly name: string;
  readonly request: CaseRequest | undefined;
  /** A CheckRequest as JSON, for what no proxy sends. */
  readonly check: Readonly<Record<string, unknown>> | undefined;
  /** The name of a token, or none. */
  readonly token: string | undefined;
  readonly expect: Expectation;
}

export interface Expectation {
  readonly decision: 'allow' | 'deny';
  readonly status?: number;
  readonly code?: string;
  readonly policy?: string;
  readonly rule?: string;
  readonly upstreamHeaders?: Readonly<Record<string, string>>;
  readonly removedHeaders?: readonly string[];
  /** Part of the WWW-Authenticate header. */
  readonly challenge?: string;
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

interface RawRequestSpec {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly clientIp?: string;
  readonly contextExtensions?: Readonly<Record<string, string>>;
  readonly route?: {
    readonly kind?: string;
    readonly namespace: string;
    readonly name: string;
    readonly section?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

interface RawPolicyTest {
  readonly kind?: string;
  readonly metadata: { readonly name: string };
  readonly policies: readonly string[];
  readonly options?: PolicyTestOptions;
  readonly issuers?: PolicyTest['issuers'];
  readonly tokens?: PolicyTest['tokens'];
  readonly requests?: Readonly<Record<string, RawRequestSpec>>;
  readonly tests?: readonly {
    readonly name: string;
    readonly request?: string | RawRequestSpec;
    readonly check?: Readonly<Record<string, unknown>>;
    readonly token?: string;
    readonly expect: Expectation;
  }[];
  readonly matrix?: readonly {
    readonly requests: readonly string[];
    readonly tokens: readonly string[];
    readonly allow: readonly (readonly [string, string])[];
  }[];
}

/** Reads the PolicyTest of a file; `policies` may name the file itself, whose other documents then are the policies. */
export function readPolicyTest(file: string): PolicyTest {
  const read = readDocuments(file, readFileSync(file, 'utf8'));
  const [problem] = read.flatMap(({ problems }) => problems);
  if (problem !== undefined) throw new Error(formatProblem(problem));
  const [raw] = read
    .filter(({ value }) => (value as { kind?: string }).kind === 'PolicyTest')
    .map(({ value }) => value as unknown as RawPolicyTest);
  if (raw === undefined) throw new Error(`${file} holds no PolicyTest`);
  const documents = raw.policies.flatMap((name) => {
    const path = join(dirname(file), name);
    return readDocuments(path, readFileSync(path, 'utf8')).filter(
      ({ value }) => (value as { kind?: string }).kind !== 'PolicyTest',
    );
  });
  return {
    name: raw.metadata.name,
    documents,
    options: raw.options ?? {},
    issuers: raw.issuers ?? {},
    tokens: raw.tokens ?? {},
    cases: [...listedCases(raw), ...matrixCases(raw)],
  };
}

function listedCases(raw: RawPolicyTest): DecisionCase[] {
  return (raw.tests ?? []).map((test) => {
    const request = typeof test.request === 'string' ? requestOf(raw, test.request) : test.request;
    return {
      name: test.name,
      request: request === undefined ? undefined : toRequest(request),
      check: test.check,
      token: test.token,
      expect: test.expect,
    };
  });
}

function matrixCases(raw: RawPolicyTest): DecisionCase[] {
  return (raw.matrix ?? []).flatMap(({ requests, tokens, allow }) =>
    requests.flatMap((request) =>
      tokens.map((token): DecisionCase => {
        const isAllowed = allow.some(([r, t]) => r === request && t === token);
        return {
          name: `${request} with ${token} is ${isAllowed ? 'allowed' : 'denied'}`,
          request: toRequest(requestOf(raw, request)),
          check: undefined,
          token: token === 'none' ? undefined : token,
          expect: { decision: isAllowed ? 'allow' : 'deny' },
        };
      }),
    ),
  );
}

function requestOf(raw: RawPolicyTest, name: string): RawRequestSpec {
  const request = raw.requests?.[name];
  if (request === undefined) throw new Error(`there is no request named ${name}`);
  return request;
}

function toRequest(spec: RawRequestSpec): CaseRequest {
  const headers = Object.entries(spec.headers ?? {}).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => [name, one] as const),
  );
  return {
    method: spec.method ?? 'GET',
    host: spec.host ?? 'api.example.com',
    path: spec.path ?? '/',
    headers,
    clientIp: spec.clientIp,
    contextExtensions: spec.contextExtensions ?? {},
    route: toRoute(spec.route),
  };
}

function toRoute(route: RawRequestSpec['route']): RequestRoute | undefined {
  if (route === undefined) return undefined;
  const { kind = 'HTTPRoute', namespace, name, section = '', annotations = {} } = route;
  return { kind, namespace, name, section, annotations: new Map(Object.entries(annotations)) };
}

/** For tests that write documents inline. */
export function documentsOf(yaml: string, source = 'inline.yaml'): readonly AuthorDocument[] {
  return readDocuments(source, yaml);
}

export { parse as parseYaml };
