import { denial, type Denial } from '../../../core/decision.ts';
import type { KubernetesReviews } from '../../../core/ports.ts';
import { placesOf } from '../../../policy/providers/credential-forms.ts';
import type { ServiceAccountProviderSpec } from '../../../policy/provider-spec.ts';
import { sha256Base64 } from '../../../std/sha256.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import type { MessageProvider, VerifyResult } from '../identity-provider.ts';
import { judgeTokenReview } from './judge-token-review.ts';
import { readAccountToken, type AccountToken } from './read-account-token.ts';
import { createVerdictCache } from './verdict-cache.ts';

/** How long a refusal is remembered: a token that was sent too early is not refused for long. */
const refusalTtlMs = 5000;

/** A provider of type ServiceAccount at work: the API server judges each token, and is taken at its word for a short while. */
export function createServiceAccountProvider(spec: ServiceAccountProviderSpec, ports: IdentityPorts): MessageProvider {
  const { clock, events, settings, reviews } = ports;
  const cache = createVerdictCache(clock);
  /** One question for all who present the same token while it is asked. */
  const asked = new Map<string, Promise<VerifyResult>>();
  let isAsked = false;
  const nowSeconds = (): number => clock.now() / 1000;
  const review = async (
    from: KubernetesReviews,
    text: string,
    token: AccountToken,
    key: string,
  ): Promise<VerifyResult> => {
    try {
      const verdict = judgeTokenReview(await from.reviewToken(text, spec.audiences), token, spec);
      const { expiresAt = Infinity } = token;
      const ttlMs = 'denial' in verdict ? refusalTtlMs : settings.tokenReviewTtlMs;
      cache.set(key, verdict, Math.min(ttlMs, settings.tokenReviewTtlMs, (expiresAt - nowSeconds()) * 1000));
      return verdict;
    } catch {
      // Why is in the status of the provider and in the log. An outage is nobody's verdict, so nobody remembers it.
      return { denial: unavailable };
    } finally {
      isAsked = true;
    }
  };
  const verify = (text: string): VerifyResult | Promise<VerifyResult> => {
    if (reviews === undefined) return { denial: noCluster };
    if (text.length > settings.maxTokenBytes) return { denial: denial('token_too_large') };
    const key = sha256Base64(text);
    const known = cache.get(key);
    const isKnown = known !== undefined && !hasEnded(known, nowSeconds());
    events.tokenCache(isKnown ? 'hit' : 'miss');
    if (isKnown) return known;
    const token = readAccountToken(text, spec.audiences, nowSeconds(), settings.maxTokenBytes);
    if ('denial' in token) return token;
    const same = asked.get(key);
    if (same !== undefined) return same;
    const answer = review(reviews, text, token.value, key).finally(() => asked.delete(key));
    asked.set(key, answer);
    return answer;
  };
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: Promise.resolve(),
    verify: ({ token }) => verify(token),
    status: () => {
      const lastError = reviews === undefined ? noCluster.message : reviews.failure('token');
      return { keys: 0, keyAgeSeconds: undefined, lastError, isAnswering: lastError === undefined, isAsked };
    },
    close: () => undefined,
  };
}

/** By the wall clock, which may have been set on since. */
function hasEnded(verdict: VerifyResult, now: number): boolean {
  return 'identity' in verdict && verdict.identity.expiresAt !== undefined && now >= verdict.identity.expiresAt;
}

const unavailable = denial('review_unavailable');
const noCluster: Denial = denial('review_unavailable', 'Kubernetes was not asked: here there is no cluster to ask.');
