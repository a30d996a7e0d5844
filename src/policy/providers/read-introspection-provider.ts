import type { IntrospectionShape } from '../document-shape.ts';
import { quote, type FieldPath, type ProblemList } from '../problem-list.ts';
import type { IntrospectionProviderSpec } from '../provider-spec.ts';
import { isHttpUrl } from './http-url.ts';
import type { ProviderHead } from './provider-head.ts';
import { readClaimMapping } from './read-claim-mapping.ts';
import { bearer } from './read-places.ts';
import { readSeconds } from './read-seconds.ts';

const at: FieldPath = ['spec', 'introspection'];
/** Seconds. A token that was revoked is good as long as its answer is remembered. */
const longestTtl = 3600;
const longestTimeout = 30;

/** Reads `introspection`. Where the list gets an error, what is returned is not to be used. */
export function readIntrospectionProvider(
  { kind, namespace, name, materials }: ProviderHead,
  shape: IntrospectionShape,
  problems: ProblemList,
): IntrospectionProviderSpec {
  const { endpoint, clientAuthentication, issuer, caRef } = shape;
  if (!isHttpUrl(endpoint))
    problems.error(
      'invalid-value',
      [...at, 'endpoint'],
      `${quote(endpoint)} is no http or https URL without user and fragment`,
    );
  const signedAnswers = shape.signedAnswers === 'Required';
  checkKeyIssuer(signedAnswers, issuer, problems);
  return {
    kind,
    type: 'Introspection',
    namespace,
    name,
    endpoint,
    clientAuthentication: {
      method: clientAuthentication.method,
      secret: { namespace: materials, name: clientAuthentication.secretRef.name },
    },
    issuer,
    audiences: shape.audiences,
    ca: caRef === undefined ? undefined : { namespace: materials, ...caRef },
    signedAnswers,
    claims: readClaimMapping(shape.claims, ['scope'], [...at, 'claims'], problems),
    ...readTimes(shape, problems),
    from: [bearer],
  };
}

/** The keys of signed answers are discovered, so there the issuer must be there and a URL; else any text may be one. */
function checkKeyIssuer(signedAnswers: boolean, issuer: string | undefined, problems: ProblemList): void {
  if (!signedAnswers) return;
  if (issuer === undefined)
    problems.error('missing-field', [...at, 'issuer'], 'signedAnswers Required needs issuer, below which the keys are');
  else if (!isHttpUrl(issuer) || issuer.includes('?'))
    problems.error(
      'invalid-value',
      [...at, 'issuer'],
      `${quote(issuer)} is no http or https URL, below which the keys of signed answers could be`,
    );
}

function readTimes(
  { cache, timeout }: IntrospectionShape,
  problems: ProblemList,
): Pick<IntrospectionProviderSpec, 'cacheTtl' | 'timeout'> {
  const ttl = readSeconds(cache?.ttl, [...at, 'cache', 'ttl'], problems) ?? 60;
  if (ttl > longestTtl) problems.error('invalid-value', [...at, 'cache', 'ttl'], 'ttl is at most 1h');
  const wait = readSeconds(timeout, [...at, 'timeout'], problems) ?? 2;
  if (wait <= 0 || wait > longestTimeout)
    problems.error('invalid-value', [...at, 'timeout'], 'timeout is more than 0s and at most 30s');
  return { cacheTtl: ttl, timeout: wait };
}
