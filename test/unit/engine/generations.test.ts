import { afterEach, describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/core/decision.ts';
import type { DocumentStatus } from '../../../src/core/status.ts';
import { createDecisionStand, type DecisionStand, type StandOptions } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

async function start(yaml: string, options: StandOptions = {}): Promise<DecisionStand> {
  stand = await createDecisionStand(documentsOf(yaml), options);
  return stand;
}

async function codeOf(on: DecisionStand, host: string, path: string, token?: string): Promise<string> {
  const decision: Decision = await on.engine.check(rawRequest({ host, path, token }));
  return decision.kind === 'allow' ? `allow ${decision.about.policy} ${decision.about.rule}` : decision.denial.code;
}

function statusOf(on: DecisionStand, key: string): DocumentStatus | undefined {
  return on.engine.status().documents.find((document) => document.key === key);
}

const policy = (name: string, hosts: string, rules: string, namespace = 'shop', more = ''): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {hosts: [${hosts}], rules: [${rules}]${more}}
---`;
const open = '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}';
const narrow = '{name: narrow, matches: [{path: {type: PathPrefix, value: /narrow}}], access: Public}';
const misspelt = '{name: open, matches: [{path: {type: PathPrefix, value: /}}], acess: Public}';

describe('no policy in force', () => {
  const warning = 'no policy is in force: every request is denied';
  const warnings = (on: DecisionStand): string[] =>
    on.log.filter(({ level, message }) => level === 'warn' && message === warning).map(({ message }) => message);

  test.each([
    ['an empty folder', ''],
    ['a policy that is refused', policy('a', 'a.example', misspelt)],
    ['a policy that only watches', policy('a', 'a.example', open, 'shop', ', mode: Shadow')],
  ])('%s is one warning', async (_, yaml) => {
    expect(warnings(await start(yaml))).toEqual([warning]);
  });

  test('a policy in force is none, also by its last good generation', async () => {
    const on = await start(policy('a', 'a.example', open));
    await on.apply(documentsOf(policy('a', 'a.example', misspelt)));
    expect(warnings(on)).toEqual([]);
    await on.apply([]);
    expect(warnings(on)).toEqual([warning]);
  });
});

describe('S4 a policy that is refused', () => {
  test('keeps its last good generation in force and says so', async () => {
    const on = await start(policy('a', 'a.example', open));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
    await on.apply(documentsOf(policy('a', 'a.example', misspelt)));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
    expect(statusOf(on, 'AccessPolicy shop/a')).toMatchObject({ accepted: false, serving: 'last-good' });
    await on.apply(documentsOf(policy('a', 'a.example', narrow)));
    expect(await codeOf(on, 'a.example', '/x')).toBe('no_rule');
    expect(statusOf(on, 'AccessPolicy shop/a')).toMatchObject({ accepted: true, serving: 'current', problems: [] });
  });

  test('keeps it also when the kind or the version is misspelt, and when it is there twice', async () => {
    const on = await start(policy('a', 'a.example', open));
    for (const broken of [
      policy('a', 'a.example', narrow).replace('kind: AccessPolicy', 'kind: AcessPolicy'),
      policy('a', 'a.example', narrow).replace('v1alpha1', 'v1'),
      policy('a', 'a.example', narrow) + policy('a', 'a.example', open),
    ]) {
      await on.apply(documentsOf(broken));
      expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
      expect(statusOf(on, 'AccessPolicy shop/a')).toMatchObject({ accepted: false, serving: 'last-good' });
    }
  });

  test('is gone when its document is deleted', async () => {
    const on = await start(policy('a', 'a.example', open));
    await on.apply([]);
    expect(await codeOf(on, 'a.example', '/x')).toBe('no_policy');
  });

  test('that never was valid denies what it would have won with 503', async () => {
    const on = await start(policy('a', 'a.example', misspelt) + policy('b', 'b.example', open));
    expect(await codeOf(on, 'a.example', '/x')).toBe('policy_invalid');
    expect(await codeOf(on, 'b.example', '/x')).toBe('allow shop/b open');
    expect(statusOf(on, 'AccessPolicy shop/a')).toMatchObject({ accepted: false, serving: 'refused' });
  });

  test('that is there twice from the start denies what either would have won', async () => {
    const on = await start(policy('a', 'a.example', open) + policy('a', 'b.example', open));
    expect(await codeOf(on, 'a.example', '/x')).toBe('policy_invalid');
    expect(await codeOf(on, 'b.example', '/x')).toBe('policy_invalid');
    expect(statusOf(on, 'AccessPolicy shop/a')?.problems.map(({ code }) => code)).toEqual([
      'duplicate-document',
      'duplicate-document',
    ]);
  });

  test('whose hosts cannot be read is named in status and changes nothing else', async () => {
    const on = await start(policy('a', '"a b"', open) + policy('b', 'b.example', open));
    expect(await codeOf(on, 'b.example', '/x')).toBe('allow shop/b open');
    expect(statusOf(on, 'AccessPolicy shop/a')).toMatchObject({ accepted: false, serving: 'refused' });
  });

  test('in a file that cannot be read in whole is not taken for deleted', async () => {
    const on = await start(policy('a', 'a.example', open));
    await on.apply([], ['inline.yaml']);
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
    await on.apply(documentsOf('just: text\n---\n'));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
  });

  test('in a file that is not YAML any more keeps what it had', async () => {
    const on = await start(policy('a', 'a.example', open));
    await on.apply(documentsOf(`${policy('a', 'a.example', open)}\n: : [`));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
  });
});

describe('S4 a cluster policy that is refused', () => {
  const floor = (spec: string): string =>
    `\napiVersion: portcullis.dev/v1alpha1\nkind: ClusterAccessPolicy\nmetadata: {name: floor}\nspec: {${spec}}\n---`;

  test('and never was valid denies what its rules would have restricted, and nothing else', async () => {
    const on = await start(
      policy('a', 'a.example', open) +
        floor('rules: [{name: r, matches: [{path: {type: PathPrefix, value: /admin}}], access: Denid}]'),
    );
    expect(await codeOf(on, 'a.example', '/ADMIN/x')).toBe('policy_invalid');
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
  });

  test('and whose restrictions cannot be read denies every request', async () => {
    for (const spec of ['adresses: {deny: [10.0.0.0/8]}', 'rules: [{name: r, match: [], access: Denied}]', '']) {
      const on = await start(policy('a', 'a.example', open) + floor(spec));
      expect(await codeOf(on, 'a.example', '/x')).toBe('policy_invalid');
      on.close();
    }
  });

  test('of other hosts leaves this one alone', async () => {
    const on = await start(
      policy('a', 'a.example', open) + floor('hosts: ["*.other"], rules: [{name: r, acess: Denied}]'),
    );
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
  });

  test('keeps its last good generation', async () => {
    const good = floor('rules: [{name: r, matches: [{path: {type: PathPrefix, value: /admin}}], access: Denied}]');
    const on = await start(policy('a', 'a.example', open) + good);
    await on.apply(documentsOf(policy('a', 'a.example', open) + floor('rules: []')));
    expect(await codeOf(on, 'a.example', '/admin')).toBe('denied');
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
  });
});

describe('S4 onInvalid: Deny', () => {
  const deny = ', onInvalid: Deny';
  const twoRules = `${narrow}, {name: other, matches: [{path: {type: PathPrefix, value: /other}}], access: Public}`;

  test('in the generation in force denies at once what it decided', async () => {
    const on = await start(policy('a', 'a.example', twoRules, 'shop', deny));
    await on.apply(documentsOf(policy('a', 'a.example', misspelt.replace('value: /', 'value: /new'), 'shop', deny)));
    expect(await codeOf(on, 'a.example', '/narrow')).toBe('policy_invalid');
    expect(await codeOf(on, 'a.example', '/new')).toBe('policy_invalid');
    expect(statusOf(on, 'AccessPolicy shop/a')).toMatchObject({ accepted: false, serving: 'refused' });
  });

  test('in the refused generation does too, and goes on doing so', async () => {
    const on = await start(policy('a', 'a.example', narrow));
    for (let i = 0; i < 2; i++) {
      await on.apply(documentsOf(policy('a', 'a.example', misspelt, 'shop', `${deny}, x${i}: 1`)));
      expect(await codeOf(on, 'a.example', '/narrow')).toBe('policy_invalid');
    }
    await on.apply(documentsOf(policy('a', 'a.example', narrow, 'shop', deny)));
    expect(await codeOf(on, 'a.example', '/narrow')).toBe('allow shop/a narrow');
  });

  test('without it the last good one stays', async () => {
    const on = await start(policy('a', 'a.example', narrow));
    await on.apply(documentsOf(policy('a', 'a.example', misspelt, 'shop', ', onInvalid: KeepLast')));
    expect(await codeOf(on, 'a.example', '/narrow')).toBe('allow shop/a narrow');
  });
});

describe('S9 a policy in shadow mode', () => {
  const shadow = ', mode: Shadow';
  const verdicts = async (on: DecisionStand, host: string, path: string) => {
    const decision = await on.engine.check(rawRequest({ host, path }));
    return [decision.kind, decision.kind === 'deny' ? decision.denial.code : 'ok', decision.about.shadow];
  };

  test('changes nothing and says what it would have decided', async () => {
    const denies = '{name: none, matches: [{path: {type: PathPrefix, value: /x}}], access: Denied}';
    const on = await start(policy('a', 'a.example', open) + policy('s', 'a.example', denies, 'shop', shadow));
    expect(await verdicts(on, 'a.example', '/x')).toEqual([
      'allow',
      'ok',
      [{ policy: 'shop/s', rule: 'none', code: 'denied' }],
    ]);
    expect(await verdicts(on, 'a.example', '/y')).toEqual([
      'allow',
      'ok',
      [{ policy: 'shop/s', rule: 'open', code: 'ok' }],
    ]);
    expect(await verdicts(on, 'b.example', '/y')).toEqual(['deny', 'no_policy', undefined]);
  });

  test('alone on its host leaves it denied', async () => {
    const on = await start(policy('s', 'a.example', open, 'shop', shadow));
    expect(await verdicts(on, 'a.example', '/x')).toEqual([
      'deny',
      'no_policy',
      [{ policy: 'shop/s', rule: 'open', code: 'ok' }],
    ]);
  });

  test('that is nearer than an enforced one would take the decision', async () => {
    const on = await start(policy('w', '"*.example"', open) + policy('s', 'a.example', narrow, 'shop', shadow));
    expect(await verdicts(on, 'a.example', '/x')).toEqual([
      'allow',
      'ok',
      [{ policy: 'shop/s', rule: '', code: 'no_rule' }],
    ]);
  });

  test('that is farther only restricts', async () => {
    const denies = '{name: none, matches: [{path: {type: PathPrefix, value: /x}}], access: Denied}';
    const on = await start(policy('a', 'a.example', open) + policy('s', '"*.example"', denies, 'shop', shadow));
    expect(await verdicts(on, 'a.example', '/x')).toEqual([
      'allow',
      'ok',
      [{ policy: 'shop/s', rule: 'none', code: 'denied' }],
    ]);
    expect(await verdicts(on, 'a.example', '/y')).toEqual([
      'allow',
      'ok',
      [{ policy: 'shop/s', rule: 'open', code: 'ok' }],
    ]);
  });

  test('owns no host and no header', async () => {
    const sets =
      '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public, upstream: {headers: [{name: x-shadow, value: a}]}}';
    const on = await start(
      policy('s', 'a.example', sets, 'one', shadow) +
        policy('a', 'a.example', open, 'two') +
        policy('b', 'b.example', open, 'one'),
    );
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow two/a open');
    const decision = await on.engine.check(rawRequest({ host: 'b.example', path: '/x' }));
    expect(decision.kind === 'allow' && decision.upstream.removeHeaders).not.toContain('x-shadow');
  });

  test('that is refused denies nothing', async () => {
    const on = await start(policy('a', 'a.example', open) + policy('s', 'a.example', misspelt, 'shop', shadow));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a open');
  });

  test('of the cluster changes nothing either', async () => {
    const floor =
      '\napiVersion: portcullis.dev/v1alpha1\nkind: ClusterAccessPolicy\nmetadata: {name: f}\nspec: {mode: Shadow, addresses: {deny: [127.0.0.0/8]}}\n';
    const on = await start(policy('a', 'a.example', open) + floor);
    expect(await verdicts(on, 'a.example', '/x')).toEqual([
      'allow',
      'ok',
      [{ policy: 'f', rule: '', code: 'address_denied' }],
    ]);
  });

  test('--shadow-all allows everything, changes nothing and says what would have been', async () => {
    const on = await start(policy('a', 'a.example', narrow), { shadowAll: true });
    for (const [host, path, code] of [
      ['a.example', '/x', 'no_rule'],
      ['a.example', '/narrow', 'ok'],
      ['b.example', '/x', 'no_policy'],
      ['a.example', '//x', 'path_not_canonical'],
    ]) {
      const decision = await on.engine.check(
        rawRequest({ host: host ?? '', path: path ?? '', headers: [['x-user', 'a']] }),
      );
      expect(decision).toMatchObject({
        kind: 'allow',
        upstream: { setHeaders: [], removeHeaders: [], removeQueryParameters: [] },
        responseHeaders: [],
      });
      expect(decision.about.shadow?.[0]?.code).toBe(code);
    }
    expect(on.engine.refuse('deadline_exceeded').kind).toBe('allow');
  });
});

describe('S10 hosts have owners', () => {
  test('two namespaces that claim one host from the start are both refused', async () => {
    const on = await start(policy('a', 'x.example', open, 'one') + policy('b', 'x.example', open, 'two'));
    expect(await codeOf(on, 'x.example', '/x')).toBe('policy_invalid');
    expect(statusOf(on, 'AccessPolicy one/a')?.problems.map(({ code }) => code)).toEqual(['host-conflict']);
    expect(statusOf(on, 'AccessPolicy two/b')?.problems.map(({ code }) => code)).toEqual(['host-conflict']);
  });

  test('a newcomer takes nothing from the namespace that was there', async () => {
    const on = await start(policy('a', 'x.example', open, 'one'));
    await on.apply(documentsOf(policy('a', 'x.example', open, 'one') + policy('b', 'x.example', narrow, 'two')));
    expect(await codeOf(on, 'x.example', '/x')).toBe('allow one/a open');
    expect(statusOf(on, 'AccessPolicy two/b')).toMatchObject({ accepted: false, serving: 'refused' });
    expect(statusOf(on, 'AccessPolicy one/a')).toMatchObject({ accepted: true, problems: [] });
  });

  test('nor does a newcomer that is refused for something else', async () => {
    const on = await start(policy('a', 'x.example', open, 'one'));
    await on.apply(documentsOf(policy('a', 'x.example', open, 'one') + policy('b', 'x.example', misspelt, 'two')));
    expect(await codeOf(on, 'x.example', '/x')).toBe('allow one/a open');
  });

  test('what is below a wildcard belongs to the namespace of the wildcard', async () => {
    const on = await start(policy('a', '"*.example"', open, 'one'));
    const both = policy('a', '"*.example"', open, 'one') + policy('b', 'deep.x.example', open, 'two');
    await on.apply(documentsOf(both));
    expect(await codeOf(on, 'deep.x.example', '/x')).toBe('allow one/a open');
    await on.apply(documentsOf(both + policy('c', 'deep.x.example', narrow, 'one')));
    expect(await codeOf(on, 'deep.x.example', '/x')).toBe('no_rule');
    expect(await codeOf(on, 'deep.x.example', '/narrow')).toBe('allow one/c narrow');
  });

  test('a host is free again when its owner gives it up', async () => {
    const on = await start(policy('a', 'x.example', open, 'one'));
    await on.apply(documentsOf(policy('a', 'y.example', open, 'one') + policy('b', 'x.example', narrow, 'two')));
    expect(await codeOf(on, 'x.example', '/narrow')).toBe('allow two/b narrow');
  });

  test('a host that its owner has in force only because its new version was refused is still the owner\u2019s', async () => {
    const on = await start(policy('p', 'x.example', narrow, 'one') + policy('q', 'y.example', open, 'two'));
    await on.apply(
      documentsOf(policy('p', 'y.example', narrow, 'one') + policy('q', 'y.example, x.example', open, 'two')),
    );
    expect(await codeOf(on, 'x.example', '/secret')).toBe('no_rule');
    expect(await codeOf(on, 'x.example', '/narrow')).toBe('allow one/p narrow');
    expect(await codeOf(on, 'y.example', '/x')).toBe('allow two/q open');
  });

  test('a host is not given up in favour of a policy of the namespace that is refused', async () => {
    const withIdp = '{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}';
    const waiting = policy('p', 'x.example', withIdp, 'one', ', authentication: {providers: [{name: idp}]}');
    const idp =
      '\napiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: {name: idp, namespace: one}\nspec: {type: JWT, jwt: {issuer: "https://i.example", audiences: [a]}}\n---';
    // The same documents again and again, as a folder gives those that did not change.
    const same = documentsOf(waiting, 'waiting.yaml');
    const theirs = documentsOf(policy('b', 'x.example', open, 'two'), 'theirs.yaml');
    const on = await start('');
    await on.apply([...documentsOf(policy('a', 'x.example', open, 'one')), ...same]);
    const moved = documentsOf(policy('a', 'y.example', open, 'one'));
    await on.apply([...moved, ...same]);
    await on.apply([...moved, ...same, ...theirs]);
    await on.apply([...moved, ...same, ...theirs, ...documentsOf(idp, 'idp.yaml')]);
    expect(statusOf(on, 'AccessPolicy one/p')).toMatchObject({ accepted: true });
    expect(statusOf(on, 'AccessPolicy two/b')).toMatchObject({ accepted: false });
  });

  test('a star that nobody may have takes no host from newcomers', async () => {
    const on = await start(policy('a', '"*"', open, 'one') + policy('b', 'x.example', open, 'two'));
    expect(await codeOf(on, 'x.example', '/x')).toBe('allow two/b open');
  });

  test('a star needs a grant', async () => {
    const on = await start(policy('a', '"*"', open));
    expect(await codeOf(on, 'x.example', '/x')).toBe('no_policy');
    expect(statusOf(on, 'AccessPolicy shop/a')?.problems.map(({ code }) => code)).toEqual(['host-not-granted']);
    on.close();
    const granted = await start(policy('a', '"*"', open), { hostGrants: { shop: ['*'] } });
    expect(await codeOf(granted, 'x.example', '/x')).toBe('allow shop/a open');
  });

  test('with grants a host of nobody is not claimed by whoever comes', async () => {
    const on = await start(policy('a', 'x.example', open), { hostGrants: { other: ['y.example'] } });
    expect(await codeOf(on, 'x.example', '/x')).toBe('no_policy');
  });
});

describe('providers', () => {
  const idp = (more = ''): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [api]${more}}}
---`;
  const mine = '{name: mine, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}';
  const withIdp = policy('a', 'a.example', mine, 'shop', ', authentication: {providers: [{name: idp}]}');
  const options: StandOptions = {
    issuers: { idp: { alg: 'ES256' } },
    tokens: { t: { issuer: 'idp', claims: { sub: 'u' } } },
  };

  test('a missing one refuses the policy that names it', async () => {
    const on = await start(withIdp, {});
    expect(await codeOf(on, 'a.example', '/x')).toBe('policy_invalid');
    expect(statusOf(on, 'AccessPolicy shop/a')?.problems[0]).toMatchObject({
      code: 'missing-reference',
      message: 'the IdentityProvider shop/idp that the policy names does not exist',
      field: 'spec.authentication.providers[0]',
    });
  });

  test('one that comes later makes the policy good', async () => {
    const on = await start(idp() + withIdp, options);
    const token = await on.mint.mint('t');
    await on.apply(documentsOf(withIdp));
    await on.apply(documentsOf(idp() + withIdp));
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('allow shop/a mine');
  });

  test('a deleted one vouches for nobody any more, though the policy stays in force', async () => {
    const on = await start(idp() + withIdp, options);
    const token = await on.mint.mint('t');
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('allow shop/a mine');
    await on.apply(documentsOf(withIdp));
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('provider_unavailable');
    expect(statusOf(on, 'AccessPolicy shop/a')).toMatchObject({ accepted: false, serving: 'last-good' });
  });

  test('S20 where the credentials of a deleted one stood is emptied all the same, by what was last known of it', async () => {
    const from = (name: string): string => idp(`, from: [{header: ${name}}, {cookie: sid}]`);
    const rules = `${open}, ${mine.replace('value: /', 'value: /mine')}`;
    const both = policy('a', 'a.example', rules, 'shop', ', authentication: {providers: [{name: idp}]}');
    const on = await start(from('x-first') + both, options);
    const sent = async (): Promise<unknown> => {
      const headers = [
        ['x-first', 'a'],
        ['x-second', 'b'],
        ['cookie', 'sid=c; theme=dark'],
      ] as const;
      const decision = await on.engine.check(rawRequest({ host: 'a.example', path: '/x', headers }));
      if (decision.kind === 'deny') return decision.denial.code;
      const { setHeaders, removeHeaders } = decision.upstream;
      return [setHeaders, removeHeaders.filter((name) => /first|second/.test(name))];
    };
    const rest = [['cookie', 'theme=dark']];
    expect(await sent()).toEqual([rest, ['x-first']]);
    await on.apply(documentsOf(from('x-second') + both));
    expect(await sent()).toEqual([rest, ['x-second']]);
    for (const gone of [both, from('x-third').replace('issuer', 'isuer') + both, both]) {
      await on.apply(documentsOf(gone));
      expect(await sent()).toEqual([rest, ['x-second']]);
    }
    await on.apply(documentsOf(both.replace('rules:', 'onInvalid: Deny, rules:')));
    expect(await sent()).toBe('policy_invalid');
    await on.apply(documentsOf(both));
    expect(await sent()).toEqual([rest, ['x-second']]);
    // The control: a new one of the name is emptied by what it says itself.
    await on.apply(documentsOf(from('x-first') + both));
    expect(await sent()).toEqual([rest, ['x-first']]);
    // Where nothing was ever known of it, no rule that names it passes anything.
    const anew = await start(both, options);
    expect(await codeOf(anew, 'a.example', '/x')).toBe('policy_invalid');
  });

  test('S17 two that come to have one issuer by an edit deny its tokens, and the policy stays in force', async () => {
    const second = idp()
      .replace('name: idp', 'name: second')
      .replace(/issuer: [^,]+/, 'issuer: "https://second.example"');
    const both = policy('a', 'a.example', mine, 'shop', ', authentication: {providers: [{name: second}, {name: idp}]}');
    const on = await start(idp() + second + both, options);
    const token = await on.mint.mint('t');
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('allow shop/a mine');
    await on.apply(documentsOf(idp() + idp().replace('name: idp', 'name: second') + both));
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('provider_unavailable');
    expect(statusOf(on, 'AccessPolicy shop/a')).toMatchObject({ accepted: false, serving: 'last-good' });
    await on.apply(documentsOf(idp() + second + both));
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('allow shop/a mine');
  });

  test('a refused update of one keeps the last good one', async () => {
    const on = await start(idp() + withIdp, options);
    const token = await on.mint.mint('t');
    await on.apply(documentsOf(idp(', clockSkew: 1h') + withIdp));
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('allow shop/a mine');
    expect(statusOf(on, 'IdentityProvider shop/idp')).toMatchObject({ accepted: false, serving: 'last-good' });
  });

  test('an update of one ends what was verified by the one before', async () => {
    const on = await start(idp() + withIdp, options);
    const token = await on.mint.mint('t');
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('allow shop/a mine');
    await on.apply(documentsOf(idp().replace('[api]', '[other]') + withIdp));
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('token_audience');
  });

  test('a change elsewhere leaves keys and verified tokens alone', async () => {
    const on = await start(idp() + withIdp, options);
    const token = await on.mint.mint('t');
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('allow shop/a mine');
    on.setOnline(false);
    await on.apply(documentsOf(idp() + withIdp + policy('b', 'b.example', open)));
    expect(await codeOf(on, 'a.example', '/x', token)).toBe('allow shop/a mine');
  });

  test('two of one issuer on one rule are a Problem', async () => {
    const two = idp() + idp().replace('name: idp', 'name: idp2');
    const both = policy('a', 'a.example', mine, 'shop', ', authentication: {providers: [{name: idp}, {name: idp2}]}');
    const on = await start(two + both, options);
    expect(statusOf(on, 'AccessPolicy shop/a')?.problems.map(({ code }) => code)).toEqual(['ambiguous-provider']);
    expect(await codeOf(on, 'a.example', '/x')).toBe('policy_invalid');
  });
});

describe('S30 before the first load', () => {
  test('every check is denied with 503', async () => {
    const on = await start(policy('a', 'a.example', open));
    const { createEngine } = await import('../../../src/engine/engine.ts');
    expect(createEngine).toBeTypeOf('function');
    expect(on.engine.refuse('not_ready')).toMatchObject({ kind: 'deny', status: 503, denial: { code: 'not_ready' } });
  });
});
