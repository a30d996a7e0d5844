import type { Place, Problem } from '../../core/problem.ts';
import { namedPlace } from './given-value.ts';
import { settings, type Config, type SettingKey } from './settings.ts';

/** TLS that could not be as it was meant: then nothing starts, because the port would be open to others than the author thinks. */
export function judgeTlsSettings(
  config: Config,
  chosen: ReadonlyMap<SettingKey, { readonly origin: Place | undefined }>,
): readonly Problem[] {
  const { tlsCertificate, tlsKey, tlsClientCa, grpcAddress } = config;
  const problems: Problem[] = [];
  const refuse = (code: Problem['code'], key: SettingKey, message: string): void => {
    const place = chosen.get(key)?.origin ?? namedPlace(settings[key].flag);
    problems.push({ code, severity: 'error', message, field: key, place });
  };
  if (tlsCertificate !== undefined && tlsKey === undefined)
    refuse('missing-field', 'tlsCertificate', 'tlsCertificate needs tlsKey: the file of its private key.');
  if (tlsCertificate === undefined && tlsKey !== undefined)
    refuse('missing-field', 'tlsKey', 'tlsKey needs tlsCertificate: the file of its certificate.');
  if (tlsCertificate === undefined && tlsKey === undefined) {
    if (tlsClientCa !== undefined)
      refuse(
        'missing-field',
        'tlsClientCa',
        'tlsClientCa needs tlsCertificate and tlsKey: without them there is no TLS.',
      );
    if (config.tlsMinimumVersion !== settings.tlsMinimumVersion.default.value)
      refuse(
        'missing-field',
        'tlsMinimumVersion',
        'tlsMinimumVersion needs tlsCertificate and tlsKey: without them there is no TLS.',
      );
  }
  if (tlsCertificate !== undefined && grpcAddress.kind === 'unix')
    refuse(
      'invalid-value',
      'tlsCertificate',
      'tlsCertificate does not go with a unix socket in grpcAddress: who may use one is said by its folder and its mode.',
    );
  return problems;
}
