import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import type { RequestRoute } from '../core/request.ts';
import { createStructureCheck } from '../policy/check-structure.ts';
import { createProblemList, quote, type FieldPath, type ProblemList } from '../policy/problem-list.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { closest } from '../std/closest.ts';
import { parseCidr } from '../std/ip.ts';
import type {
  CaseRequest,
  DecisionCase,
  Expectation,
  PolicyTest,
  PolicyTestOptions,
  TokenSpec,
} from './policy-test.ts';
import { policyTestSchema, requestSchema } from './schema.ts';

const apiVersion = 'test.portcullis.dev/v1alpha1';

/** True for a document that means to be a PolicyTest. */
export function isPolicyTest({ value }: AuthorDocument): boolean {
  return isJsonObject(value) && value['kind'] === 'PolicyTest';
}

/** The PolicyTest of a document, its names resolved; else what is wrong with it. */
export function parsePolicyTest(
  document: AuthorDocument,
): { readonly test: PolicyTest } | { readonly problems: readonly Problem[] } {
  const problems = createProblemList(document);
  const { apiVersion: version, kind: _kind, metadata, ...body } = isJsonObject(document.value) ? document.value : {};
  if (version !== apiVersion)
    problems.error('unknown-version', ['apiVersion'], `${quote(version ?? '')}: write ${apiVersion}`);
  const name = isJsonObject(metadata) ? metadata['name'] : undefined;
  if (typeof name !== 'string') problems.error('missing-field', ['metadata'], 'metadata needs the field name');
  const shape = checkTest(withNamedRequests(body), problems, []);
  if (shape === undefined || problems.hasError()) return { problems: problems.all };
  const { policies, options = {}, issuers = {}, tokens = {} } = shape;
  checkOptions(options, problems);
  checkTokens(tokens, Object.keys(issuers), problems);
  const cases = [...listedCases(shape, body['tests'], problems), ...matrixCases(shape, problems)];
  if (cases.length === 0) problems.error('missing-field', [], 'the document tests nothing: write tests or matrix');
  if (typeof name !== 'string' || problems.hasError()) return { problems: problems.all };
  return { test: { name, policies, options, issuers, tokens, cases } };
}

const checkTest = createStructureCheck<PolicyTestShape>(policyTestSchema);
const checkRequest = createStructureCheck<RequestShape>(requestSchema);

interface PolicyTestShape {
  readonly policies: readonly string[];
  readonly options?: PolicyTestOptions;
  readonly issuers?: PolicyTest['issuers'];
  readonly tokens?: PolicyTest['tokens'];
  readonly requests?: Readonly<Record<string, RequestShape>>;
  readonly tests?: readonly TestShape[];
  readonly matrix?: readonly {
    readonly requests: readonly string[];
    readonly tokens: readonly string[];
    readonly allow: readonly (readonly string[])[];
  }[];
}

/** A test's request may be an object where the schema has a name: those are checked where they are read. */
function withNamedRequests(body: JsonObject): JsonObject {
  const { tests } = body;
  if (!Array.isArray(tests)) return body;
  const named = tests.map((test): JsonValue => {
    return isJsonObject(test) && isJsonObject(test['request']) ? { ...test, request: 'of its own' } : test;
  });
  return { ...body, tests: named };
}

interface TestShape {
  readonly name: string;
  readonly request?: string;
  readonly check?: JsonObject;
  readonly checkFile?: string;
  readonly token?: string;
  readonly expect: Expectation;
}

interface RouteShape {
  readonly kind?: 'HTTPRoute' | 'GRPCRoute';
  readonly namespace: string;
  readonly name: string;
  readonly section?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RequestShape {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers?: JsonObject;
  readonly clientIp?: string;
  readonly contextExtensions?: Readonly<Record<string, string>>;
  readonly route?: RouteShape;
  readonly peer?: NonNullable<CaseRequest['peer']>;
}

function checkOptions({ now, forwardedClientCertFrom = [] }: PolicyTestOptions, problems: ProblemList): void {
  for (const [index, range] of forwardedClientCertFrom.entries()) {
    if (parseCidr(range) !== undefined) continue;
    const at = ['options', 'forwardedClientCertFrom', index];
    problems.error('invalid-value', at, `${quote(range)} is no range of addresses: write 10.0.0.0/8`);
  }
  if (now !== undefined && Number.isNaN(Date.parse(now)))
    problems.error('invalid-value', ['options', 'now'], `${quote(now)} is no time: write 2026-06-01T12:00:00Z`);
}

function checkTokens(
  tokens: Readonly<Record<string, TokenSpec>>,
  issuers: readonly string[],
  problems: ProblemList,
): void {
  for (const [name, token] of Object.entries(tokens)) {
    let last = token;
    const seen = new Set([name]);
    while (last.extends !== undefined) {
      const base = Object.hasOwn(tokens, last.extends) ? tokens[last.extends] : undefined;
      if (base === undefined || seen.has(last.extends)) break;
      seen.add(last.extends);
      last = { ...base, ...(last.issuer === undefined ? {} : { issuer: last.issuer }) };
    }
    const at = ['tokens', name];
    if (last.extends !== undefined && seen.has(last.extends))
      problems.error('invalid-value', [...at, 'extends'], `the token ${name} extends itself`);
    else if (last.extends !== undefined)
      unknown('token', last.extends, Object.keys(tokens), [...at, 'extends'], problems);
    else if (last.issuer === undefined)
      problems.error('missing-field', at, `the token ${name} needs the field issuer: the name of one of issuers`);
    else if (!issuers.includes(last.issuer)) unknown('issuer', last.issuer, issuers, [...at, 'issuer'], problems);
  }
}

function unknown(what: string, name: string, known: readonly string[], at: FieldPath, problems: ProblemList): void {
  const guess = closest(name, known);
  const remedy = guess === undefined ? `there are ${known.join(', ') || 'none'}` : `did you mean ${guess}?`;
  problems.error('missing-reference', at, `there is no ${what} named ${quote(name)}; ${remedy}`);
}

/** `written` are the tests with their own requests. */
function listedCases(shape: PolicyTestShape, written: JsonValue | undefined, problems: ProblemList): DecisionCase[] {
  return (shape.tests ?? []).map((test, index): DecisionCase => {
    const at = ['tests', index];
    const { name, check, checkFile, token, expect } = test;
    if ([test.request, check, checkFile].filter((one) => one !== undefined).length !== 1)
      problems.error('invalid-value', at, 'a test has exactly one of request, check and checkFile');
    if (token !== undefined && test.request === undefined)
      problems.error('invalid-value', [...at, 'token'], 'a raw check has its token among its headers');
    const original = Array.isArray(written) ? written[index] : undefined;
    const own = isJsonObject(original) ? original['request'] : undefined;
    const request = own === undefined ? undefined : readRequest(own, shape, [...at, 'request'], problems);
    const credential = tokenNamed(token, shape, [...at, 'token'], problems);
    return { name, request, check, checkFile, token: credential, expect };
  });
}

function matrixCases(shape: PolicyTestShape, problems: ProblemList): DecisionCase[] {
  return (shape.matrix ?? []).flatMap(({ requests, tokens, allow }, index) => {
    for (const [pair, [request = '', token = '']] of allow.entries()) {
      const at = ['matrix', index, 'allow', pair];
      if (!requests.includes(request)) unknown('request of the matrix', request, requests, at, problems);
      if (!tokens.includes(token)) unknown('token of the matrix', token, tokens, at, problems);
    }
    const credentials = tokens.map((token, at) => tokenNamed(token, shape, ['matrix', index, 'tokens', at], problems));
    return requests.flatMap((name, at) => {
      const request = readRequest(name, shape, ['matrix', index, 'requests', at], problems);
      return tokens.map((token, column): DecisionCase => {
        const isAllowed = allow.some(([r, t]) => r === name && t === token);
        return {
          name: `${name} with ${token} is ${isAllowed ? 'allowed' : 'denied'}`,
          request,
          check: undefined,
          checkFile: undefined,
          token: credentials[column],
          expect: { decision: isAllowed ? 'allow' : 'deny' },
        };
      });
    });
  });
}

/** `none` is the request without a token. */
function tokenNamed(
  name: string | undefined,
  { tokens = {} }: PolicyTestShape,
  at: FieldPath,
  problems: ProblemList,
): string | undefined {
  if (name === undefined || name === 'none') return undefined;
  if (!Object.hasOwn(tokens, name)) unknown('token', name, ['none', ...Object.keys(tokens)], at, problems);
  return name;
}

/** One that stands there itself is checked as those under `requests` are. */
function readRequest(
  written: JsonValue,
  { requests = {} }: PolicyTestShape,
  at: FieldPath,
  problems: ProblemList,
): CaseRequest | undefined {
  if (typeof written !== 'string') {
    const own = checkRequest(written, problems, at);
    return own && toRequest(own, at, problems);
  }
  const shape = Object.hasOwn(requests, written) ? requests[written] : undefined;
  if (shape === undefined) unknown('request', written, Object.keys(requests), at, problems);
  return shape && toRequest(shape, ['requests', written], problems);
}

function toRoute({ kind = 'HTTPRoute', namespace, name, section = '', annotations = {} }: RouteShape): RequestRoute {
  return { kind, namespace, name, section, annotations: new Map(Object.entries(annotations)) };
}

function toRequest(shape: RequestShape, at: FieldPath, problems: ProblemList): CaseRequest {
  const { method = 'GET', host = 'api.example.com', path = '/', clientIp, contextExtensions = {}, route, peer } = shape;
  const headers = Object.entries(shape.headers ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one): [string, string][] => {
      if (typeof one === 'string') return [[name, one]];
      problems.error('invalid-value', [...at, 'headers', name], `${name} must be a text or a list of texts`);
      return [];
    }),
  );
  return { method, host, path, headers, clientIp, contextExtensions, route: route && toRoute(route), peer };
}
