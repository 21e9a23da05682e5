export const CHART_FORMATS = ['png', 'svg', 'csv'] as const;
export type ChartFormat = (typeof CHART_FORMATS)[number];

/** Asks where to save a chart, and writes it there. */
export interface SaveChart {
  type: 'saveChart';
  /** The chart's subject, for the file's name: letters, digits and hyphens. */
  chart: string;
  format: ChartFormat;
  /** The file as text; a PNG in Base64. */
  data: string;
}

/** Parses a page's message; undefined if it is incomplete. */
export function parseSaveChart(message: Record<string, unknown>): SaveChart | undefined {
  const { chart, format, data } = message;
  const known = CHART_FORMATS.find((f) => f === format);
  const isNamed = typeof chart === 'string' && /^[A-Za-z0-9-]+$/.test(chart);
  return known && isNamed && typeof data === 'string' && data !== ''
    ? { type: 'saveChart', chart, format: known, data }
    : undefined;
}
