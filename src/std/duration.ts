const shape = /^(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?(?:(\d{1,5})ms)?$/;

const hour = 3_600_000;
const minute = 60_000;
const second = 1000;

/**
 * Milliseconds of a duration as Kubernetes' Gateway API writes it (GEP-2257): `500ms`, `5s`, `1h30m`, the units once each and in falling order.
 * Undefined for anything else: a bare number, a sign, a fraction, white space.
 */
export function parseDuration(text: string): number | undefined {
  const found = text === '' ? null : shape.exec(text);
  if (found === null) return undefined;
  const [, hours = '0', minutes = '0', seconds = '0', milliseconds = '0'] = found;
  return Number(hours) * hour + Number(minutes) * minute + Number(seconds) * second + Number(milliseconds);
}

/** The shortest spelling in one unit that `parseDuration` reads back: `600000` is `10m`, `1500` is `1500ms`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  if (milliseconds % hour === 0) return `${milliseconds / hour}h`;
  if (milliseconds % minute === 0) return `${milliseconds / minute}m`;
  if (milliseconds % second === 0) return `${milliseconds / second}s`;
  const whole = Math.floor(milliseconds / second);
  return milliseconds < 100_000 ? `${milliseconds}ms` : `${formatDuration(whole * second)}${milliseconds % second}ms`;
}
