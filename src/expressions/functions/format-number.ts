/** A double as CEL writes it. */
export function formatDouble(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  if (Object.is(value, -0)) return '-0';
  // JavaScript leaves exponents of one digit as they are, CEL writes two.
  return String(value).replace(/e([-+])(\d)$/, 'e$10$2');
}

/** A double with so many digits behind the point: `%f`. */
export function formatFixed(value: number, digits: number): string {
  return specialText(value) ?? value.toFixed(digits);
}

/** A double as `1.500000e+03`: `%e`. */
export function formatExponent(value: number, digits: number): string {
  return specialText(value) ?? value.toExponential(digits).replace(/e([-+])(\d)$/, 'e$10$2');
}

function specialText(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return undefined;
  return value > 0 ? 'Infinity' : '-Infinity';
}
