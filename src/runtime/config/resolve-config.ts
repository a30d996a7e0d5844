import { hasError, type Place, type Problem } from '../../core/problem.ts';
import { namedPlace, type GivenValue } from './given-value.ts';
import { judgeRedisSettings } from './judge-redis-settings.ts';
import { judgeTlsSettings } from './judge-tls-settings.ts';
import type { WrongValue } from './setting-types.ts';
import { configFileFlag, settingEntries, settings as settingTable, type Config, type SettingKey } from './settings.ts';

/** A setting in force. */
export interface ResolvedSetting {
  readonly key: SettingKey;
  readonly value: unknown;
  /** Undefined for the default. */
  readonly origin: Place | undefined;
}

export type ResolvedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly settings: readonly ResolvedSetting[];
      readonly warnings: readonly Problem[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks every value given, also those that another overrides, and takes for each setting the first of `layers` (flags, environment, file) that has
 * it, else the default. With any error there is no config. `problems` are those of reading the layers.
 */
export function resolveConfig(
  layers: readonly (readonly GivenValue[])[],
  problems: readonly Problem[],
  { isInPod }: { readonly isInPod: boolean } = { isInPod: false },
): ResolvedConfig {
  const found = [...problems];
  const chosen = new Map<SettingKey, ResolvedSetting>();
  const rows = new Map(settingEntries());
  for (const { key, form, origin } of layers.flat()) {
    const setting = rows.get(key);
    if (setting === undefined) continue;
    const parsed = form.kind === 'texts' ? setting.type.fromTexts(form.texts) : setting.type.fromJson(form.value);
    if ('expected' in parsed)
      found.push(invalidValue(key, setting.type.isHidden === true ? undefined : form, parsed, origin));
    else if (!chosen.has(key)) chosen.set(key, { key, value: parsed.value, origin });
  }
  const settings: ResolvedSetting[] = [];
  for (const [key, setting] of rows) {
    settings.push(chosen.get(key) ?? { key, value: setting.default.value, origin: undefined });
  }
  found.push(...judgeSource(chosen, found, isInPod));
  if (hasError(found)) return { ok: false, problems: found };
  // Every key of the table is there and its value came out of the key's own type.
  const config = Object.fromEntries(settings.map(({ key, value }) => [key, value])) as unknown as Config;
  found.push(
    ...judgeTogether(config, chosen),
    ...judgeTlsSettings(config, chosen),
    ...judgeRedisSettings(config, chosen),
  );
  return hasError(found) ? { ok: false, problems: found } : { ok: true, config, settings, warnings: found };
}

/** `form` undefined: what was given is not shown. */
function invalidValue(
  key: SettingKey,
  form: GivenValue['form'] | undefined,
  { expected, part }: WrongValue,
  place: Place,
): Problem {
  if (form === undefined)
    return { code: 'invalid-value', severity: 'error', message: `${key} must be ${expected}.`, field: key, place };
  const written = part === undefined ? inWords(form) : JSON.stringify(part.value);
  const shown = written.length > 80 ? `${written.slice(0, 77)}...` : written;
  const field = `${key}${part?.path ?? ''}`;
  return {
    code: 'invalid-value',
    severity: 'error',
    message: `${field} is ${shown}, and must be ${expected}.`,
    field,
    place,
  };
}

function inWords(form: GivenValue['form']): string {
  if (form.kind === 'json') return JSON.stringify(form.value);
  return form.texts.map((text) => JSON.stringify(text)).join(', ');
}

/** The policies come from the folder where there is one, else from a cluster; what is wrong already is not missing too. */
function judgeSource(
  chosen: ReadonlyMap<SettingKey, ResolvedSetting>,
  found: readonly Problem[],
  isInPod: boolean,
): readonly Problem[] {
  if (found.some(({ field, severity }) => severity === 'error' && (field === 'policies' || field === 'kubeconfig')))
    return [];
  const hasFolder = chosen.get('policies')?.value !== undefined;
  const hasKubeconfig = chosen.get('kubeconfig')?.value !== undefined;
  if (hasFolder || hasKubeconfig || isInPod) return [];
  const { flag, env } = settingTable.policies;
  const message = `policies is required outside of a pod: give ${flag} DIR, ${env} or policies in the file of ${configFileFlag}, or ${settingTable.kubeconfig.flag} FILE for the policies of a cluster.`;
  return [{ code: 'missing-field', severity: 'error', message, field: 'policies', place: namedPlace(flag) }];
}

/** Settings that are right one by one and surprising together. */
function judgeTogether(config: Config, chosen: ReadonlyMap<SettingKey, ResolvedSetting>): readonly Problem[] {
  const warnings: Problem[] = [];
  const warn = (key: SettingKey, message: string): void => {
    const place = chosen.get(key)?.origin ?? namedPlace('default');
    warnings.push({ code: 'invalid-value', severity: 'warning', message, field: key, place });
  };
  if (config.keyStaleWindow < config.keyRefreshInterval) {
    warn(
      'keyStaleWindow',
      'keyStaleWindow is shorter than keyRefreshInterval: one failed fetch of keys denies every token of the issuer.',
    );
  }
  if (config.adminAddress !== undefined && !isLoopback(config.adminAddress.host)) {
    warn(
      'adminAddress',
      'adminAddress is not a loopback address: the admin page has no authentication, whoever reaches it can read it.',
    );
  }
  if (config.revocationsConfigMap !== undefined && config.policies !== undefined) {
    const place = chosen.get('revocationsConfigMap')?.origin ?? namedPlace('default');
    const message = 'revocationsConfigMap needs policies out of a cluster: beside a folder, use revocationsFile.';
    warnings.push({ code: 'invalid-value', severity: 'error', message, field: 'revocationsConfigMap', place });
  }
  return warnings;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
