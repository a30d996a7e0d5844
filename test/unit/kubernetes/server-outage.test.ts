import { describe, expect, it } from 'vitest';
import { ApiFailure, type ApiFailureCode } from '../../../src/kubernetes/api-failure.ts';
import { policyCollection } from '../../../src/kubernetes/collection.ts';
import { createComplaint } from '../../../src/kubernetes/complaint.ts';
import { createOutage, type Outage } from '../../../src/kubernetes/outage.ts';
import { createServerOutage } from '../../../src/kubernetes/server-outage.ts';
import { createManualTime } from './manual-time.ts';

function start(): { readonly outages: readonly [Outage, Outage]; readonly lines: string[] } {
  const lines: string[] = [];
  const log = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push(`${level} ${message}: ${String(fields['error'])}`);
  const logger = { debug: () => undefined, info: log('info'), warn: log('warn'), error: log('error') };
  const server = createServerOutage(logger);
  const outageOf = (namespace: string): Outage =>
    createOutage(policyCollection('AccessPolicy', namespace, ''), logger, server);
  return { outages: [outageOf('a'), outageOf('b')], lines };
}

const failure = (code: ApiFailureCode, message = 'why'): ApiFailure => new ApiFailure(code, message);
const lost = 'warn the API server cannot be followed; what is in force stays in force';
const again = 'info the API server is followed again: undefined';

describe('an API server that is away', () => {
  it('is told once, whatever each of those that follow it hears, and once when all follow it again', () => {
    const { outages, lines } = start();
    for (const message of ['reset', 'refused', '429 initializing'])
      for (const outage of outages)
        outage.begin(failure(message.startsWith('429') ? 'api_throttled' : 'api_unreachable', message));
    expect(outages.map((outage) => outage.current())).toEqual(['429 initializing', '429 initializing']);
    outages[0].end();
    expect(lines).toEqual([`${lost}: reset`]);
    outages[1].end();
    expect(lines).toEqual([`${lost}: reset`, again]);
    outages[1].begin(failure('api_timeout', 'late'));
    expect(lines).toEqual([`${lost}: reset`, again, `${lost}: late`]);
  });

  it('is another matter where it does not know us', () => {
    const { outages, lines } = start();
    for (const outage of outages) outage.begin(failure('api_unreachable', 'reset'));
    for (const outage of outages) outage.begin(failure('api_unauthorized', '401'));
    expect(lines).toEqual([`${lost}: reset`, `${lost}: 401`]);
  });

  it('forbids everything for a moment when it is back, and a right that is missing after that is told', () => {
    const { outages, lines } = start();
    const [outage] = outages;
    outage.begin(failure('api_unreachable', 'reset'));
    outage.begin(failure('api_forbidden', '403'));
    expect(lines).toEqual([`${lost}: reset`]);
    outage.begin(failure('api_forbidden', '403'));
    expect(lines).toEqual([
      `${lost}: reset`,
      `${lost}: the service account needs get, list and watch on accesspolicies.portcullis.dev by a Role in the namespace a; the chart grants it with rbac.create and the namespace in watchNamespaces, to a sidecar with the service account of its pod in sidecar.serviceAccounts; with rbac.create off write the role yourself (docs/kubernetes.md) (403)`,
    ]);
    outage.end();
    expect(lines.at(-1)).toBe(again);
  });

  it('is no matter of a collection that is followed no more', () => {
    const { outages, lines } = start();
    for (const outage of outages) outage.begin(failure('api_unreachable', 'reset'));
    outages[0].forget();
    outages[1].end();
    expect(lines).toEqual([`${lost}: reset`, again]);
  });
});

describe('something that is tried again and again', () => {
  it('is told at once where it never worked, after a while where it did, and once', async () => {
    const time = createManualTime();
    const said: string[] = [];
    const complaint = createComplaint(time.clock, (error) => said.push(error));
    const failFor = async (ms: number, message: string): Promise<void> => {
      for (let step = 0; step <= ms; step += 1000) {
        complaint.failed(new Error(message));
        await time.advance(1000);
      }
    };
    await failFor(3000, 'never worked');
    complaint.succeeded();
    await failFor(8000, 'for a moment');
    complaint.succeeded();
    await failFor(30_000, 'for long');
    expect(said).toEqual(['never worked', 'for long']);
  });
});
