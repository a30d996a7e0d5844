import { classifyAddress } from '../../std/classify-address.ts';
import type { ProblemList } from '../problem-list.ts';
import type { IntrospectionProviderSpec, JwtProviderSpec } from '../provider-spec.ts';

/**
 * Warns of keys that come over http from outside: who sits on the way can put his own in their place and sign any token with them.
 * An issuer whose keys come from elsewhere is only a name, and nothing is fetched from it.
 */
export function warnOfCleartextKeys({ issuer, keys }: JwtProviderSpec, problems: ProblemList): void {
  const warn = (url: string, at: readonly string[], what: string): void => {
    if (!isCleartextAbroad(url)) return;
    const message = `${what} over http from a host that may be anywhere: whoever sits on the way can exchange the keys and forge any token; write https`;
    problems.warning('cleartext-keys', ['spec', 'jwt', ...at], message);
  };
  if (keys.type === 'URI') warn(keys.uri, ['jwks', 'uri'], 'the keys are fetched');
  if (keys.type === 'Discovery') warn(issuer, ['issuer'], 'the keys are looked up');
}

/** Warns of tokens and the client's secret that go over http to outside: who sits on the way reads them, and answers what he likes. */
export function warnOfCleartextEndpoint({ endpoint }: IntrospectionProviderSpec, problems: ProblemList): void {
  if (!isCleartextAbroad(endpoint)) return;
  const message =
    "tokens and the client's secret go over http to a host that may be anywhere: whoever sits on the way reads them and can say that any token is good; write https";
  problems.warning('cleartext-keys', ['spec', 'introspection', 'endpoint'], message);
}

/** True for http to a host that is neither this machine, nor in the cluster, nor a private address. */
function isCleartextAbroad(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:') return false;
  const host = url.hostname.replace(/\.$/, '');
  const isAddress = host.startsWith('[') || /^[\d.]+$/.test(host);
  return isAddress ? classifyAddress(host.replaceAll(/[[\]]/g, '')) === 'public' : !isLocalName(host);
}

/** Names that only the machine's or the cluster's own resolver answers; one without a dot is a Service of the same namespace. */
function isLocalName(host: string): boolean {
  return !host.includes('.') || ['.localhost', '.svc', '.cluster.local'].some((ending) => host.endsWith(ending));
}
