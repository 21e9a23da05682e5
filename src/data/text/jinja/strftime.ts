const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Python's strftime in the C locale: English names, whatever this machine's language is. */
export function strftime(date: Date, format: string): string {
  const two = (value: number, fill = '0') => String(value).padStart(2, fill);
  const dayOfYear =
    Math.round(
      (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 1)) /
        86_400_000,
    ) + 1;
  const parts: Record<string, () => string> = {
    Y: () => String(date.getFullYear()),
    y: () => two(date.getFullYear() % 100),
    m: () => two(date.getMonth() + 1),
    B: () => MONTHS[date.getMonth()],
    b: () => MONTHS[date.getMonth()].slice(0, 3),
    h: () => MONTHS[date.getMonth()].slice(0, 3),
    d: () => two(date.getDate()),
    e: () => two(date.getDate(), ' '),
    j: () => String(dayOfYear).padStart(3, '0'),
    A: () => DAYS[date.getDay()],
    a: () => DAYS[date.getDay()].slice(0, 3),
    w: () => String(date.getDay()),
    u: () => String(date.getDay() || 7),
    H: () => two(date.getHours()),
    I: () => two(date.getHours() % 12 || 12),
    M: () => two(date.getMinutes()),
    S: () => two(date.getSeconds()),
    f: () => String(date.getMilliseconds() * 1000).padStart(6, '0'),
    p: () => (date.getHours() < 12 ? 'AM' : 'PM'),
    // Python's datetime.now() has no zone.
    z: () => '',
    Z: () => '',
    s: () => String(Math.floor(date.getTime() / 1000)),
    n: () => '\n',
    t: () => '\t',
    D: () => strftime(date, '%m/%d/%y'),
    F: () => strftime(date, '%Y-%m-%d'),
    T: () => strftime(date, '%H:%M:%S'),
    R: () => strftime(date, '%H:%M'),
    r: () => strftime(date, '%I:%M:%S %p'),
    c: () => strftime(date, '%a %b %e %H:%M:%S %Y'),
    x: () => strftime(date, '%m/%d/%y'),
    X: () => strftime(date, '%H:%M:%S'),
    '%': () => '%',
  };
  return format.replace(/%(-?)([a-zA-Z%])/g, (all, bare: string, letter: string) => {
    if (!Object.hasOwn(parts, letter)) return all;
    const shown = parts[letter]();
    return bare ? shown.replace(/^[0 ]+(?=.)/, '') : shown;
  });
}
