import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestRoute } from '../../../src/core/request.ts';
import type { DocumentStatus } from '../../../src/core/status.ts';
import type { TraceStep } from '../../../src/core/trace.ts';
import { widerPatterns } from '../../../src/policy/read-host.ts';
import { createDecisionStand, type DecisionStand, type StandOptions } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest, type RawRequestParts } from '../../support/raw-request.ts';

const open = '{name: open, access: Public, matches: [{path: {type: PathPrefix, value: /}}]}';
const ref = (name: string, section = ''): string =>
  `{group: gateway.networking.k8s.io, kind: HTTPRoute, name: ${name}${section === '' ? '' : `, sectionName: ${section}`}}`;
const policy = (name: string, attached: string, rules = open, more = '', namespace = 'shop'): string =>
  `---\n{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: {${attached}, ${more} rules: [${rules}]}}\n`;
const httpRoute = (name: string, hostnames: string, rules = '', namespace = 'shop'): string =>
  `---\n{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: ${name}, namespace: ${namespace}}, spec: {hostnames: [${hostnames}], parentRefs: [{name: public, namespace: infra, sectionName: http, port: 80}], rules: [${rules}]}}\n`;
const route = (name: string, section = '', namespace = 'shop'): RequestRoute => ({
  kind: 'HTTPRoute',
  namespace,
  name,
  section,
  annotations: new Map(),
});

async function withStand(
  yaml: string,
  use: (stand: DecisionStand) => Promise<void>,
  options: StandOptions = {},
): Promise<void> {
  const stand = await createDecisionStand(documentsOf(yaml), options);
  try {
    await use(stand);
  } finally {
    stand.close();
  }
}

async function outcome(stand: DecisionStand, parts: RawRequestParts): Promise<string> {
  const decision = await stand.engine.check(rawRequest(parts));
  if (decision.kind === 'allow') return `allow ${decision.about.policy}`;
  const { code } = decision.denial;
  return code === 'no_rule' || code === 'no_policy' ? code : `${code} ${decision.about.policy}`;
}

const statusOf = (stand: DecisionStand, name: string): DocumentStatus | undefined =>
  stand.engine.documentStatus(`AccessPolicy shop/${name}`);

describe('S7 the hostnames of a targeted route', () => {
  const targeted = policy('orders', `targetRefs: [${ref('orders')}]`);

  test('are reserved while the route has them and the policy is attached to it', async () => {
    const host = policy('host', 'hosts: [a.example]', open);
    const yaml = targeted + host;
    await withStand(yaml, async (stand) => {
      expect(await outcome(stand, { host: 'a.example' })).toBe('allow shop/host');
      await stand.apply(documentsOf(yaml + httpRoute('orders', 'a.example')));
      expect(await outcome(stand, { host: 'a.example' })).toBe('route_unknown shop/orders');
      expect(await outcome(stand, { host: 'a.example', route: route('orders') })).toBe('allow shop/orders');
      await stand.apply(documentsOf(yaml + httpRoute('orders', 'b.example')));
      expect(await outcome(stand, { host: 'a.example' })).toBe('allow shop/host');
      expect(await outcome(stand, { host: 'b.example' })).toBe('route_unknown shop/orders');
      await stand.apply(documentsOf(host + httpRoute('orders', 'b.example')));
      expect(await outcome(stand, { host: 'b.example' })).toBe('no_policy');
    });
  });

  test.each([
    ['no grants and a policy of another namespace on the host', undefined, 'theirs.example', 'allow other/theirs'],
    ['no grants and a wildcard of another namespace', undefined, 'a.wide.example', 'allow other/wide'],
    ['no grants and no policy on the host', undefined, 'free.example', 'route_unknown shop/orders'],
    ['a grant', { shop: ['*.example'], other: ['wide.example'] }, 'free.example', 'route_unknown shop/orders'],
    ['a grant to another namespace', { other: ['*.example', '*'] }, 'free.example', 'no_policy'],
    [
      'a grant of the wildcard and another of the host',
      { shop: ['*.example'], other: ['theirs.example'] },
      'theirs.example',
      'no_policy',
    ],
  ])('are reserved with %s where they are the namespace’s own', async (_, hostGrants, host, expected) => {
    const yaml =
      policy('orders', `targetRefs: [${ref('orders')}]`) +
      httpRoute('orders', host) +
      (hostGrants === undefined
        ? policy('theirs', 'hosts: [theirs.example]', open, '', 'other') +
          policy('wide', 'hosts: ["*.wide.example"]', open, '', 'other')
        : '');
    await withStand(
      yaml,
      async (stand) => {
        expect(await outcome(stand, { host })).toBe(expected);
        expect(await outcome(stand, { host, route: route('orders') })).toBe('allow shop/orders');
      },
      hostGrants === undefined ? {} : { hostGrants },
    );
  });

  test('of a granted wildcard are not where a nearer policy of the owner governs', async () => {
    const yaml =
      targeted + httpRoute('orders', '"*.example"') + policy('theirs', 'hosts: [theirs.example]', open, '', 'other');
    const hostGrants = { shop: ['*.example'], other: ['theirs.example'] };
    await withStand(
      yaml,
      async (stand) => {
        expect(await outcome(stand, { host: 'theirs.example' })).toBe('allow other/theirs');
        expect(await outcome(stand, { host: 'ours.example' })).toBe('route_unknown shop/orders');
      },
      { hostGrants },
    );
  });

  const grants = { shop: ['*.example'], other: ['theirs.example'] };
  const named = 'attachment: Named';

  test.each([
    // [the route's hostname, grants, host policies besides, the policy that the proxy names, host, outcome]
    ['*.example', grants, '', 'other/mine', 'theirs.example', 'allow other/mine'],
    ['*.example', grants, '', 'other/mine', 'ours.example', 'route_unknown shop/orders'],
    ['*.example', grants, '', 'shop/own', 'theirs.example', 'route_unknown shop/orders'],
    ['*.example', grants, '', undefined, 'theirs.example', 'no_policy'],
    ['*.example', grants, '', undefined, 'ours.example', 'route_unknown shop/orders'],
    ['*.example', grants, 'shop *.example', 'other/mine', 'theirs.example', 'allow other/mine'],
    ['*.example', grants, 'shop *.example', 'shop/own', 'theirs.example', 'route_unknown shop/orders'],
    // What would decide is the namespace's own, and may be wider than what its route has.
    ['*.example', grants, 'shop *.example', undefined, 'theirs.example', 'route_unknown shop/orders'],
    ['*.example', grants, 'other theirs.example', 'other/mine', 'theirs.example', 'allow other/mine'],
    ['theirs.example', grants, '', 'other/mine', 'theirs.example', 'allow other/mine'],
    [
      '*.example',
      { shop: ['*.example'], other: ['*.example'] },
      '',
      'other/mine',
      'a.example',
      'route_unknown shop/orders',
    ],
    ['*.example', undefined, '', 'other/mine', 'theirs.example', 'allow other/mine'],
    ['theirs.example', undefined, '', 'other/mine', 'theirs.example', 'allow other/mine'],
    ['theirs.example', undefined, '', 'shop/own', 'theirs.example', 'route_unknown shop/orders'],
    ['theirs.example', undefined, '', undefined, 'theirs.example', 'route_unknown shop/orders'],
    // Who claims a host closes it to names too.
    ['ours.example', undefined, 'shop ours.example', 'other/mine', 'ours.example', 'route_unknown shop/orders'],
    ['ours.example', undefined, 'other ours.example', 'other/mine', 'ours.example', 'allow other/mine'],
    ['ours.example', undefined, 'other ours.example', undefined, 'ours.example', 'allow other/host'],
  ] as const)(
    'are reserved from no other namespace: %s with grants %j and host policy "%s", named %s on %s',
    async (hostname, hostGrants, besides, name, host, expected) => {
      const [namespace = '', pattern = ''] = besides.split(' ');
      const yaml =
        targeted +
        httpRoute('orders', `"${hostname}"`) +
        policy('own', named) +
        policy('mine', named, open, '', 'other') +
        (besides === '' ? '' : policy('host', `hosts: ["${pattern}"]`, open, '', namespace));
      const extensions = name === undefined ? {} : { contextExtensions: { 'portcullis.dev/policy': name } };
      await withStand(
        yaml,
        async (stand) => {
          expect(await outcome(stand, { host, ...extensions })).toBe(expected);
          expect(await outcome(stand, { host, route: route('orders') })).toBe('allow shop/orders');
        },
        hostGrants === undefined ? {} : { hostGrants },
      );
    },
  );

  test('stay reserved by a refused policy, and by one whose last good version serves', async () => {
    const good = targeted + httpRoute('orders', 'a.example');
    const bad = good.replace('rules:', 'adresses: {}, rules:');
    await withStand(bad, async (stand) => {
      expect(await outcome(stand, { host: 'a.example' })).toBe('route_unknown shop/orders');
      expect(await outcome(stand, { host: 'a.example', route: route('orders') })).toBe('policy_invalid shop/orders');
    });
    await withStand(good, async (stand) => {
      await stand.apply(documentsOf(bad));
      expect(await outcome(stand, { host: 'a.example' })).toBe('route_unknown shop/orders');
      expect(await outcome(stand, { host: 'a.example', route: route('orders') })).toBe('allow shop/orders');
      await stand.apply(documentsOf(bad.replace('adresses: {},', 'adresses: {}, onInvalid: Deny,')));
      expect(await outcome(stand, { host: 'a.example', route: route('orders') })).toBe('policy_invalid shop/orders');
      await stand.apply(documentsOf(httpRoute('orders', 'a.example')));
      expect(await outcome(stand, { host: 'a.example', route: route('orders') })).toBe('no_policy');
    });
  });
});

describe('what status says', () => {
  test('of routes and rules that are there or not, with their Gateways, and follows them', async () => {
    const yaml = policy('orders', `targetRefs: [${ref('orders')}, ${ref('orders', 'admin')}]`);
    const parents = [
      {
        group: 'gateway.networking.k8s.io',
        kind: 'Gateway',
        namespace: 'infra',
        name: 'public',
        sectionName: 'http',
        port: 80,
      },
    ];
    const target = { kind: 'HTTPRoute', namespace: 'shop', name: 'orders' };
    await withStand(yaml, async (stand) => {
      const changes: (readonly string[])[] = [];
      stand.engine.onChange(({ keys }) => changes.push(keys));
      expect(statusOf(stand, 'orders')).toMatchObject({ accepted: true, serving: 'current' });
      expect(statusOf(stand, 'orders')?.targets).toEqual([
        { ...target, section: '', found: 'no-route', parents: [] },
        { ...target, section: 'admin', found: 'no-route', parents: [] },
      ]);
      await stand.apply(documentsOf(yaml + httpRoute('orders', 'a.example', '{name: list}')));
      expect(statusOf(stand, 'orders')?.targets).toEqual([
        { ...target, section: '', found: 'found', parents },
        { ...target, section: 'admin', found: 'no-section', parents },
      ]);
      await stand.apply(documentsOf(yaml + httpRoute('orders', 'a.example', '{name: list}, {name: admin}')));
      expect(statusOf(stand, 'orders')?.targets.map(({ found }) => found)).toEqual(['found', 'found']);
      expect(changes).toEqual([['AccessPolicy shop/orders'], ['AccessPolicy shop/orders']]);
      expect(stand.log.map(({ fields }) => 'missing' in fields && fields.missing).filter(Boolean)).toEqual([
        ['HTTPRoute shop/orders', 'HTTPRoute shop/orders, rule admin'],
        ['HTTPRoute shop/orders, rule admin'],
      ]);
    });
  });

  test('of a policy for whose hostnames checks come without a route, once, until they stop', async () => {
    const yaml = policy('orders', `targetRefs: [${ref('orders')}]`) + httpRoute('orders', 'a.example');
    await withStand(yaml, async (stand) => {
      const changes: (readonly string[])[] = [];
      stand.engine.onChange(({ keys }) => changes.push(keys));
      const isUnrouted = (): boolean | undefined => statusOf(stand, 'orders')?.isUnrouted;
      expect(await outcome(stand, { host: 'a.example', route: route('orders') })).toBe('allow shop/orders');
      expect(isUnrouted()).toBe(false);
      await outcome(stand, { host: 'a.example' });
      await outcome(stand, { host: 'a.example' });
      expect(isUnrouted()).toBe(true);
      expect(stand.engine.status().documents.map(({ isUnrouted: is }) => is)).toEqual([true]);
      expect(changes).toEqual([['AccessPolicy shop/orders']]);
      stand.clock.set(stand.clock.now() + 15 * 60_000 + 1);
      expect(isUnrouted()).toBe(false);
    });
  });
});

test('S9 what a policy in shadow mode would have decided on a route, and for its hostnames, is recorded', async () => {
  const denied = open.replace('Public', 'Denied');
  const yaml =
    policy('live', `targetRefs: [${ref('orders')}]`) +
    policy('host', 'hosts: [b.example]') +
    policy('whole', `targetRefs: [${ref('orders')}]`, denied, 'mode: Shadow,') +
    policy('rule', `targetRefs: [${ref('orders', 'admin')}]`, open, 'mode: Shadow,') +
    policy('shadowed', `targetRefs: [${ref('shadowed')}]`, open, 'mode: Shadow,') +
    httpRoute('shadowed', 'b.example');
  await withStand(yaml, async (stand) => {
    const shadowsOf = async (parts: RawRequestParts): Promise<unknown> =>
      (await stand.engine.check(rawRequest(parts))).about.shadow?.map(({ policy: of, code }) => `${of} ${code}`);
    expect(await shadowsOf({ host: 'a.example', route: route('orders') })).toEqual(['shop/whole denied']);
    expect(await shadowsOf({ host: 'a.example', route: route('orders', 'admin') })).toEqual([
      'shop/rule ok',
      'shop/whole denied',
    ]);
    expect(await shadowsOf({ host: 'b.example' })).toEqual(['shop/shadowed route_unknown']);
    expect(await outcome(stand, { host: 'b.example' })).toBe('allow shop/host');
    expect(await outcome(stand, { host: 'a.example', route: route('orders', 'admin') })).toBe('allow shop/live');
  });
});

test('an explanation names the route that leads to a policy', async () => {
  const yaml =
    policy('whole', `targetRefs: [${ref('orders')}]`) +
    policy('rule', `targetRefs: [${ref('orders', 'admin')}]`) +
    policy('host', 'hosts: ["*.example"]');
  await withStand(yaml, async (stand) => {
    const steps: TraceStep[] = [];
    const raw = rawRequest({ host: 'a.example', route: route('orders', 'admin') });
    await stand.engine.explain(raw, { note: (step) => steps.push(step) });
    expect(steps.find(({ kind }) => kind === 'covering')).toEqual({
      kind: 'covering',
      policies: [
        { policy: 'shop/rule', role: 'decides', because: 'HTTPRoute shop/orders, rule admin' },
        { policy: 'shop/whole', role: 'restricts', because: 'HTTPRoute shop/orders' },
        { policy: 'shop/host', role: 'restricts', because: '*.example' },
      ],
    });
  });
});

describe('S5, S6', () => {
  type Attachment =
    | { readonly kind: 'Named' }
    | { readonly kind: 'Route'; readonly name: string; readonly section: string }
    | { readonly kind: 'Host'; readonly pattern: string };
  const attachment: fc.Arbitrary<Attachment> = fc.oneof(
    fc.record({ kind: fc.constant('Named' as const) }),
    fc.record({
      kind: fc.constant('Route' as const),
      name: fc.constantFrom('r', 's'),
      section: fc.constantFrom('', 'one', 'two'),
    }),
    fc.record({ kind: fc.constant('Host' as const), pattern: fc.constantFrom('a.x.e', '*.x.e', '*.e') }),
  );
  interface Asked {
    readonly name: number | undefined;
    readonly host: string;
    readonly route: { readonly name: string; readonly section: string } | undefined;
  }
  const request: fc.Arbitrary<Asked> = fc.record({
    name: fc.option(fc.nat(4), { nil: undefined }),
    host: fc.constantFrom('a.x.e', 'b.x.e', 'c.e', 'd.f'),
    route: fc.option(fc.record({ name: fc.constantFrom('r', 's', 't'), section: fc.constantFrom('', 'one', 'two') }), {
      nil: undefined,
    }),
  });

  /** Written once more, as the page says it: how near the policy is to the request; undefined where it does not cover it. */
  function distance(own: Attachment, index: number, to: Asked): number | undefined {
    switch (own.kind) {
      case 'Named':
        return to.name === index ? 0 : undefined;
      case 'Route':
        if (to.route?.name !== own.name) return undefined;
        return own.section === '' ? 2 : own.section === to.route.section ? 1 : undefined;
      case 'Host': {
        const at = [to.host, ...widerPatterns(to.host)].indexOf(own.pattern);
        return at < 0 ? undefined : 3 + at;
      }
    }
  }

  test('the nearest policies alone allow, and every one that covers a request denies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(attachment, { minLength: 1, maxLength: 5 }),
        fc.array(request, { minLength: 1, maxLength: 6 }),
        async (attachments, requests) => {
          const yaml = attachments
            .map((own, index) => {
              const attached =
                own.kind === 'Named'
                  ? 'attachment: Named'
                  : own.kind === 'Host'
                    ? `hosts: ["${own.pattern}"]`
                    : `targetRefs: [${ref(own.name, own.section)}]`;
              const rule = (name: string, access: string): string =>
                `{name: ${name}, access: ${access}, matches: [{path: {type: Exact, value: /${name}${index}}}]}`;
              return policy(`p${index}`, attached, `${rule('allow', 'Public')}, ${rule('deny', 'Denied')}`);
            })
            .join('');
          await withStand(yaml, async (stand) => {
            for (const one of requests) {
              const distances = attachments.map((own, index) => distance(own, index, one));
              const nearest = Math.min(...distances.flatMap((far) => far ?? []));
              const isNamed = one.name === undefined || attachments[one.name]?.kind === 'Named';
              for (const [index, far] of distances.entries()) {
                const parts = {
                  host: one.host,
                  ...(one.route === undefined ? {} : { route: route(one.route.name, one.route.section) }),
                  ...(one.name === undefined
                    ? {}
                    : { contextExtensions: { 'portcullis.dev/policy': `shop/p${one.name}` } }),
                };
                const none = isNamed && nearest < Infinity ? 'no_rule' : 'no_policy';
                const isCovering = isNamed && far !== undefined;
                expect(await outcome(stand, { ...parts, path: `/allow${index}` })).toBe(
                  isCovering && far === nearest ? `allow shop/p${index}` : none,
                );
                expect(await outcome(stand, { ...parts, path: `/deny${index}` })).toBe(
                  isCovering ? `denied shop/p${index}` : none,
                );
              }
            }
          });
        },
      ),
      { seed: 20_261_121, numRuns: 150 },
    );
  }, 60_000);
});
