import type { Request } from '../core/request.ts';
import { areGranted, grantedTo, type GrantSetting } from '../policy/check-hosts.ts';
import { policyExtension } from './policy-extension.ts';
import type { HostTable } from './host-table.ts';
import { isReserved } from './reservations.ts';

/** The namespaces of which hostnames of routes are not known: all of their hosts are reserved, as a route could reserve them (S7). */
export interface ClosedNamespaces {
  set(namespaces: ReadonlySet<string>): void;
  /** The policies of such a namespace that would decide the request, `namespace/name`, or that it names; undefined where the host is not reserved so. */
  reservedFor(request: Request, hosts: HostTable): readonly string[] | undefined;
}

export function createClosedNamespaces(grants: GrantSetting): ClosedNamespaces {
  let closed: ReadonlySet<string> = new Set();
  return {
    set: (namespaces) => {
      closed = namespaces;
    },
    reservedFor: ({ route, host, contextExtensions }, hosts) => {
      if (closed.size === 0 || route !== undefined) return undefined;
      const named = contextExtensions.get(policyExtension);
      const governing = hosts.find(host);
      const nearest = governing?.group.nearest ?? [];
      // Where no policy governs and none is named, none decides.
      const concerned = [
        ...nearest.map(({ namespace }) => namespace),
        ...(named === undefined ? [] : [named.slice(0, named.indexOf('/'))]),
        ...(areGranted(grants) ? grantedTo(grants, host) : []),
      ];
      const check = { host, named, governing };
      const owner = concerned.find((namespace) => closed.has(namespace) && isReserved(namespace, check, false, grants));
      if (owner === undefined) return undefined;
      const own = nearest.filter(({ namespace }) => namespace === owner).map(({ id }) => id);
      return own.length > 0 || named?.startsWith(`${owner}/`) !== true ? own : [named];
    },
  };
}
