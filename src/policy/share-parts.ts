import { createSharedValues } from '../std/shared-values.ts';
import type { AccessPolicySpec, AuthorizationSpec, MatchSpec, ProviderRef, RuleSpec, UpstreamSpec } from './spec.ts';

const sharePaths = createSharedValues<AccessPolicySpec['paths']>();
const shareTexts = createSharedValues<readonly string[]>();
const shareProviders = createSharedValues<readonly ProviderRef[]>();
const shareValueMatches = createSharedValues<MatchSpec['headers']>();
const shareAuthorization = createSharedValues<AuthorizationSpec>();
const shareConditions = createSharedValues<RuleSpec['when']>();
const shareUpstream = createSharedValues<UpstreamSpec>();
const shareResponse = createSharedValues<RuleSpec['response']>();

/** The policy with what many have in common as the same objects: less to keep, and each is compiled once. */
export function shareParts(spec: AccessPolicySpec): AccessPolicySpec {
  return {
    ...spec,
    paths: sharePaths(spec.paths),
    providers: shareProviders(spec.providers),
    setsHeaders: shareTexts(spec.setsHeaders),
    rules: spec.rules.map(shareRule),
    response: shareResponse(spec.response),
  };
}

function shareRule(rule: RuleSpec): RuleSpec {
  return {
    ...rule,
    matches: rule.matches.map(({ path, methods, headers, queryParams }) => ({
      path,
      methods: methods && shareTexts(methods),
      headers: shareValueMatches(headers),
      queryParams: shareValueMatches(queryParams),
    })),
    providers: shareProviders(rule.providers),
    authorization: rule.authorization && shareAuthorization(rule.authorization),
    when: shareConditions(rule.when),
    upstream: shareUpstream(rule.upstream),
    response: shareResponse(rule.response),
  };
}
