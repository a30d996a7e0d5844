import type { Decision } from '../core/decision.ts';
import type { JsonObject } from '../core/json.ts';
import type { WireWriter } from '../std/wire-writer.ts';
import { encodeStruct, lengthDelimited } from './encode-struct.ts';

/**
 * What a proxy keeps of a decision, in the namespace `envoy.filters.http.ext_authz`: for access logs, and for filters behind.
 * `shadow` is there where policies that only watch have judged the request too.
 */
export interface MetadataSource {
  readonly id: string;
  readonly policy: string;
  readonly rule: string;
  readonly shadow?: readonly ShadowVerdict[];
}

/** What a policy in shadow mode would have decided. */
export interface ShadowVerdict {
  readonly policy: string;
  readonly rule: string;
  readonly code: string;
}

/** CheckResponse.dynamic_metadata, field 4, a message. Never the one within ok_response, which is deprecated and would win. */
const dynamicMetadataTag = 0x22;

/** Policies have so many rules and codes only where somebody makes them up; then everything is made anew. */
const maxHeads = 10_000;

/** All but the decision's id, which comes last: the field's tag and length, the other members, and what stands before the id. */
interface Head {
  readonly idLength: number;
  readonly bytes: Buffer;
}

/**
 * Compiles what writes the dynamic metadata, the last field of a CheckResponse: `decision_id`, `policy`,
 * `rule`, `code` (`ok` for an allow) and `decision`, texts all of them. What does not change from one request to the next is made once.
 */
export function compileDynamicMetadata(): (writer: WireWriter, decision: Decision) => void {
  const heads = new Map<string, Head>();

  function headOf(about: MetadataSource, kind: Decision['kind'], code: string, idLength: number): Buffer {
    const key = `${about.policy}\n${about.rule}\n${code}`;
    const known = heads.get(key);
    if (known?.idLength === idLength) return known.bytes;
    const bytes = encodeHead(about, kind, code, idLength);
    if (heads.size >= maxHeads) heads.clear();
    heads.set(key, { idLength, bytes });
    return bytes;
  }

  return (writer, decision) => {
    const about: MetadataSource = decision.about;
    const code = codeOf(decision);
    if (about.shadow !== undefined && about.shadow.length > 0) {
      writer.raw(encodeWhole(about, decision.kind, code, about.shadow));
      return;
    }
    const end = writer.written;
    writer.bare(about.id);
    writer.raw(headOf(about, decision.kind, code, writer.written - end));
  };
}

function codeOf(decision: Decision): string {
  return decision.kind === 'allow' ? 'ok' : decision.denial.code;
}

function membersOf({ policy, rule }: MetadataSource, decision: Decision['kind'], code: string): JsonObject {
  return { decision, code, policy, rule };
}

function encodeWhole(
  about: MetadataSource,
  kind: Decision['kind'],
  code: string,
  shadow: readonly ShadowVerdict[],
): Buffer {
  const verdicts = shadow.map((verdict): JsonObject => ({
    policy: verdict.policy,
    rule: verdict.rule,
    code: verdict.code,
  }));
  const struct = encodeStruct({ ...membersOf(about, kind, code), shadow: verdicts, decision_id: about.id });
  return lengthDelimited(dynamicMetadataTag, struct);
}

/** Encodes with an id of the same length and cuts it off: it is what the bytes end with. */
function encodeHead(about: MetadataSource, kind: Decision['kind'], code: string, idLength: number): Buffer {
  const struct = encodeStruct({ ...membersOf(about, kind, code), decision_id: '0'.repeat(idLength) });
  const field = lengthDelimited(dynamicMetadataTag, struct);
  return field.subarray(0, field.length - idLength);
}
