import { expect, test } from 'vitest';
import { readWrites, writesBetween } from '../../../bench/cluster/api-writes.ts';

const page = `
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",dry_run="",group="portcullis.dev",resource="accesspolicies",scope="resource",subresource="status",verb="APPLY",version="v1alpha1"} 12
apiserver_request_total{code="409",component="apiserver",dry_run="",group="portcullis.dev",resource="accesspolicies",scope="resource",subresource="status",verb="APPLY",version="v1alpha1"} 3
apiserver_request_total{code="201",component="apiserver",dry_run="",group="events.k8s.io",resource="events",scope="resource",subresource="",verb="POST",version="v1"} 4
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="events",scope="cluster",subresource="",verb="LIST",version="v1"} 9
apiserver_request_total{code="200",component="apiserver",dry_run="",group="coordination.k8s.io",resource="leases",scope="resource",subresource="",verb="APPLY",version="v1"} 7
`;

test('writes are counted by what was written, whatever the answer, without reads and without Leases', () => {
  expect(readWrites(page)).toEqual({ 'APPLY accesspolicies/status': 15, 'POST events': 4 });
});

test('between two pages only what was written in between counts', () => {
  const before = readWrites(page);
  expect(writesBetween(before, before)).toEqual({});
  expect(writesBetween(before, { ...before, 'POST events': 5, 'PUT secrets': 1 })).toEqual({
    'POST events': 1,
    'PUT secrets': 1,
  });
});
