import { describe, expect, test } from 'vitest';
import { conditionOf, scopeOf } from './expression-fixtures.ts';

const scope = scopeOf({
  peerAddress: '10.1.2.3',
  headers: [{ name: 'x-pattern', value: '^/[a-z]+$', isText: true }],
  target: '/orders',
});

describe('the functions of expressions', () => {
  test.each([
    ['addresses', 'cidr("10.0.0.0/8").containsIP(request.clientIp)'],
    [
      'addresses that are read',
      'cidr("10.0.0.0/8").containsIP(ip(request.clientIp)) && ip("::ffff:10.0.0.1") == ip("10.0.0.1")',
    ],
    [
      'addresses outside',
      '!cidr("192.168.0.0/16").containsIP(request.clientIp) && !cidr("::/0").containsIP("10.0.0.1")',
    ],
    [
      'addresses of IPv6',
      'cidr("2001:db8::/32").containsIP("2001:db8::1") && ip("2001:DB8::0:1") == ip("2001:db8::1")',
    ],
    [
      'what is an address',
      'isIP("::1") && !isIP("1") && !isIP("010.0.0.1") && isCIDR("10.0.0.0/8") && !isCIDR("10.0.0.1/8")',
    ],
    [
      'the family of an address',
      'ip("::1").family() == 6 && ip("127.0.0.1").family() == 4 && string(ip("::1")) == "::1"',
    ],
    ['ASCII in lower case', '"ÀBC".lowerAscii() == "Àbc"'],
    ['ASCII in upper case', '"àbc".upperAscii() == "àBC"'],
    [
      'split',
      '"a,b,c".split(",") == ["a", "b", "c"] && "a,b,c".split(",", 2) == ["a", "b,c"] && "a".split(",", 0) == []',
    ],
    ['join', '["a", "b"].join() == "ab" && ["a", "b"].join("-") == "a-b" && [].join(",") == ""'],
    ['format', '"%s has %d of %.1f%%: %x %s".format(["x", 3, 1.25, 255, [1, "a"]]) == "x has 3 of 1.3%: ff [1, a]"'],
    [
      'replace',
      '"abab".replace("b", "x") == "axax" && "abab".replace("b", "x", 1) == "axab" && "ab".replace("", "-") == "-a-b-"',
    ],
    ['trim', '" a ".trim() == "a" && "\\u00a0a\\t".trim() == "a"'],
    [
      'substring',
      '"hello".substring(1) == "ello" && "hello".substring(1, 3) == "el" && "héé😀x".substring(3, 4) == "😀"',
    ],
    [
      'positions',
      '"hello".indexOf("l") == 2 && "hello".lastIndexOf("l") == 3 && "😀a".indexOf("a") == 1 && "a".indexOf("x") == -1',
    ],
    ['characters', '"héllo".charAt(1) == "é" && "abc".startsWith("ab") && "abc".endsWith("c") && "abc".contains("b")'],
    [
      'base64',
      'base64.encode(b"hello") == "aGVsbG8=" && base64.decode("aGVsbG8") == b"hello" && string(base64.decode("aGk=")) == "hi"',
    ],
    [
      'a regular expression anywhere in the text',
      '"xxabc".matches("ab") && !"xx".matches("ab") && matches("abc", "^a.c$")',
    ],
    ['a regular expression over Unicode', '"Zoë".matches("^\\\\pL+$") && "a\\nb".matches("a\\\\sb")'],
    ['a regular expression out of a request', 'request.path.matches(request.headers["x-pattern"])'],
    ['the time of the request', 'request.time > timestamp("2026-01-01T00:00:00Z") && request.time.getDayOfWeek() == 6'],
    [
      'hours in a zone',
      'request.time.getHours() == 10 && request.time.getHours("Europe/Berlin") == 11 && request.time.getHours("-05:30") == 4',
    ],
    [
      'times out of seconds',
      'timestamp(0) == timestamp("1970-01-01T00:00:00Z") && int(timestamp("1970-01-01T00:01:00Z")) == 60',
    ],
    [
      'durations',
      'duration("90m") == duration("1h30m") && duration("90s").getMinutes() == 1 && string(duration("1.5s")) == "1.5s"',
    ],
    [
      'times and durations',
      'request.time + duration("1h") - request.time == duration("1h") && request.time - duration("1s") < request.time',
    ],
    ['sizes', 'size("😀") == 1 && size([1, 2]) == 2 && size({"a": 1}) == 1 && size(b"ab") == 2'],
    [
      'conversions',
      'int("42") == 42 && string(1.5) == "1.5" && double("1e3") == 1000.0 && uint(3) == 3u && bool("true")',
    ],
    ['quantifiers', '[1, 2, 3].exists_one(x, x > 2) && [1, 2].all(x, x > 0) && [1, 2].map(x, x > 1, x * 2) == [4]'],
    ['bind', 'cel.bind(p, request.path.split("/"), p[1] == "orders" && size(p) == 2)'],
    [
      'a variable that hides another',
      '[1].all(x, [2].all(x, x == 2) && x == 1) && cel.bind(x, 1, cel.bind(x, 2, cel.bind(y, 3, x + y == 5)))',
    ],
    ['ternary', '(request.method == "GET" ? "read" : "write") == "read"'],
    ['maps', '{"GET": "read", "POST": "write"}[request.method] == "read" && {1: "a"}[1.0] == "a"'],
  ])('know %s', (_title, source) => {
    expect(conditionOf(source).test(scope)).toBe('true');
  });

  test.each([
    ['positions outside of the text', '"abc".substring(4) == ""'],
    ['ends before starts', '"abc".substring(2, 1) == ""'],
    ['text that is no base64', 'base64.decode("a*b") == b""'],
    ['text that is no address', 'ip(request.path) == ip("10.0.0.1")'],
    ['text that is no number', 'int(request.path) == 1'],
    ['numbers that are too large', '9223372036854775807 + size(request.path) > 0'],
    ['negations that are too large', '-(-9223372036854775807 - size("a")) > 0'],
    ['a division by zero', '1 % (size(request.path) - 7) == 0'],
    ['a regular expression that is none', 'request.path.matches("(" + request.path) == true'],
    ['a zone that does not exist', 'request.time.getHours(request.path) == 1'],
    ['a day that does not exist', 'timestamp("2026-02-30T00:00:00" + "Z") > request.time'],
    ['formats with too few arguments', '"%s %s".format(["a"]) == "a"'],
    ['formats that do not exist', '"%y".format([1]) == ""'],
    ['keys that come twice', '{"a": 1, "a": 2}.size() == 1'],
    ['joins of what is no text', '[dyn(1)].join() == "1"'],
  ])('have no value for %s', (_title, source) => {
    expect(conditionOf(source).test(scope)).toMatchObject({ code: 'value' });
  });
});
