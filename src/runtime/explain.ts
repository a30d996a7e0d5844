import type { Decision, Denial } from '../core/decision.ts';
import { Failure } from '../core/failure.ts';
import type { Identity } from '../core/identity.ts';
import type { JsonValue } from '../core/json.ts';
import type { Logger, PasswordChecker } from '../core/ports.ts';
import { hasError } from '../core/problem.ts';
import { reasons } from '../core/reason.ts';
import type { ProviderCondition } from '../core/status.ts';
import type { RawRequest } from '../core/request.ts';
import type { TraceStep } from '../core/trace.ts';
import type { Engine } from '../engine/engine.ts';
import { catalogProviders, readCatalog } from '../engine/inspect-token.ts';
import { createOfflineEngine, type OfflineKeys } from '../engine/offline-engine.ts';
import { createCheckRequestDecoder } from '../envoy/decode-check-request.ts';
import { decodeCheckAnswer, encodeCheckRequest, type ProxiedRequest } from '../envoy/check-client.ts';
import { createCheckResponseEncoder, encodeDecision } from '../envoy/encode-check-response.ts';
import { createPasswordThreads } from '../passwords/password-threads.ts';
import { parseDocument } from '../policy/parse-document.ts';
import { describePlace, placesOf } from '../policy/providers/credential-forms.ts';
import { specKey } from '../policy/spec-name.ts';
import type { SourceReading } from '../policy/spec.ts';
import type {
  Explain,
  ExplainedDecision,
  ExplainedDenial,
  ExplainedIdentity,
  ExplainedStep,
  ExplainOptions,
} from './explanation.ts';
import { createShowValue, showMembers, type ShowValue } from './mask-value.ts';
import { readSourcesOrFail } from './read-sources.ts';
import { presentMadeUpIdentity } from './made-up-identity.ts';
import { suggestProviders } from '../policy/suggest-providers.ts';
import { systemClock, systemRandom, systemTimers } from './system-ports.ts';

const nowhere = (): void => undefined;
const silent: Logger = { debug: nowhere, info: nowhere, warn: nowhere, error: nowhere };

export const explain: Explain = async (options, stdin) => {
  const reading = await readSourcesOrFail(options.policies, stdin);
  const passwords = createPasswordThreads({ threads: 1 });
  const engine = createExplainingEngine(options, passwords);
  try {
    await engine.apply(reading);
    return await explainOn(engine, reading, options);
  } finally {
    engine.close();
    passwords.close();
  }
};

function createExplainingEngine(
  { trustedHops, forwardedClientCertFrom = [], jwks, claims }: ExplainOptions,
  passwords: PasswordChecker,
): Engine {
  const keys: OfflineKeys =
    claims !== undefined
      ? { kind: 'believe-everything' }
      : jwks === undefined
        ? { kind: 'documents' }
        : { kind: 'jwks', json: jwks };
  return createOfflineEngine(
    {
      trustedHops,
      forwardedClientCertFrom,
      maxHeaders: 200,
      serviceNamespace: 'portcullis',
      hostGrants: 'unknown',
      ownedHeaders: [],
    },
    keys,
    { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silent, passwords },
  );
}

async function explainOn(engine: Engine, reading: SourceReading, options: ExplainOptions): ReturnType<Explain> {
  const { claims, provider } = options;
  const request =
    claims === undefined
      ? options.request
      : presentMadeUpIdentity(
          options.request,
          claims,
          { name: provider, preferred: await providersThatDecide(engine, reading, options.request) },
          reading,
        );
  const show = createShowValue(options.showValues);
  const steps: ExplainedStep[] = [];
  const decision = await engine.explain(toRawRequest(request), { note: (step) => steps.push(toStep(step, show)) });
  const status = engine.status();
  const problems = [
    ...reading.problems,
    ...status.problems,
    ...suggestProviders(
      status.documents.flatMap((document) => document.problems),
      status.documents.map(({ key }) => key),
    ),
  ];
  const { request: read } = decision.about;
  return {
    madeUp: claims !== undefined,
    problems: problems.filter((problem) => hasError([problem])),
    request: read && {
      method: read.method,
      host: read.host,
      path: read.path,
      rawPath: read.rawPath,
      clientIp: read.clientIp,
    },
    steps,
    decision: toDecision(decision, request, show),
    notes: [...notesOn(decision, status.providers), ...(await whereIsLooked(decision, engine, reading, request))],
  };
}

/** Why a denial may be none of the service that has the same documents. */
function notesOn(decision: Decision, providers: readonly ProviderCondition[]): readonly string[] {
  if (decision.kind !== 'deny') return [];
  const { code } = decision.denial;
  if (code === 'dpop_nonce')
    return [
      'a nonce is made by the service that judges it: no proof can hold one of this explanation, so that it ends here',
    ];
  if (reasons[code].status !== 503) return [];
  return providers.flatMap(({ key, unusable, lastError }) => {
    const why = unusable ?? lastError;
    return why === undefined ? [] : [`${key}: ${why}`];
  });
}

/** Of a request without a credential: it may have brought one to another place. */
async function whereIsLooked(
  decision: Decision,
  engine: Engine,
  reading: SourceReading,
  request: ProxiedRequest,
): Promise<readonly string[]> {
  if (decision.kind !== 'deny' || decision.denial.code !== 'credential_missing') return [];
  const deciding = await providersThatDecide(engine, reading, request);
  const providers = catalogProviders(readCatalog(reading, 'portcullis'));
  const places = [...deciding].flatMap((key) => {
    const spec = providers.get(key);
    return spec === undefined ? [] : placesOf(spec).map(describePlace);
  });
  return places.length === 0 ? [] : [`a credential is looked for in ${[...new Set(places)].join(', ')}`];
}

/** The keys of the providers of the rules that decide the request, whoever sends it. */
async function providersThatDecide(
  engine: Engine,
  reading: SourceReading,
  request: ProxiedRequest,
): Promise<ReadonlySet<string>> {
  const deciding = new Set<string>();
  await engine.explain(toRawRequest(request), {
    note: (step) => {
      if (step.kind === 'selection') for (const { policy, rule } of step.matched) deciding.add(`${policy} ${rule}`);
    },
  });
  const policies = reading.documents.flatMap((document) => {
    const parsed = parseDocument(document, { serviceNamespace: 'portcullis' });
    return parsed.kind === 'accepted' && parsed.spec.kind === 'AccessPolicy' ? [parsed.spec] : [];
  });
  return new Set(
    policies.flatMap(({ namespace, name, rules }) =>
      rules
        .filter((rule) => deciding.has(`${namespace}/${name} ${rule.name}`))
        .flatMap((rule) => rule.providers.map(specKey)),
    ),
  );
}

/** As the service would read it off the wire. */
function toRawRequest(request: ProxiedRequest): RawRequest {
  const decoded = createCheckRequestDecoder().decode(encodeCheckRequest(request));
  if (decoded.kind === 'undecodable') throw new Failure('request_undecodable', decoded.why);
  return decoded.request;
}

function toStep(step: TraceStep, show: ShowValue): ExplainedStep {
  switch (step.kind) {
    case 'addresses':
      return { ...step, objection: toObjection(step.objection) };
    case 'identity': {
      const { kind, policy, rule, result } = step;
      if ('denial' in result)
        return { kind, policy, rule, identity: undefined, peer: undefined, objection: toObjection(result.denial) };
      const { identity, peer } = result;
      const beside = peer === undefined || peer === identity ? undefined : toIdentity(peer, show);
      return { kind, policy, rule, identity: toIdentity(identity, show), peer: beside, objection: undefined };
    }
    case 'test':
      // Who vouches is no person's data.
      return {
        ...step,
        value: step.what === 'providers' ? (step.value ?? null) : show(step.value),
        objection: toObjection(step.objection),
      };
    case 'covering':
    case 'path':
    case 'denied-rule':
    case 'floor-rule':
    case 'candidate':
    case 'selection':
    case 'search-ended':
      return step;
  }
}

function toObjection(denial: Denial | undefined): ExplainedDenial | undefined {
  return denial && { code: denial.code, message: denial.message };
}

function toIdentity(identity: Identity, show: ShowValue): ExplainedIdentity {
  const { authenticated, provider, issuer, subject, scopes, roles, claims = {} } = identity;
  return {
    authenticated,
    provider,
    issuer,
    subject: show(subject),
    scopes: show(scopes),
    roles: show(roles),
    claims: showMembers(claims, show),
  };
}

function toDecision(decision: Decision, { target }: ProxiedRequest, show: ShowValue): ExplainedDecision {
  const { policy, rule, shadow = [] } = decision.about;
  // The client's answer is read off the bytes that a proxy would get.
  const answer = decodeCheckAnswer(encodeDecision(createCheckResponseEncoder(), decision, target));
  const upstream =
    decision.kind === 'allow' ? decision.upstream : { setHeaders: [], removeHeaders: [], removeQueryParameters: [] };
  return {
    decision: decision.kind,
    status: answer.status,
    code: decision.kind === 'allow' ? undefined : decision.denial.code,
    message: decision.kind === 'allow' ? undefined : decision.denial.message,
    policy,
    rule,
    setHeaders: upstream.setHeaders.map(([name, value]): readonly [string, JsonValue] => [name, show(value)]),
    removeHeaders: upstream.removeHeaders,
    removeQueryParameters: upstream.removeQueryParameters,
    responseHeaders: answer.responseHeaders,
    body: answer.body,
    shadow,
  };
}
