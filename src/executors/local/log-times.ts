/** Set for a trainer whose output is a run's log: it begins each line with the time. */
export const LOG_TIMES_VARIABLE = 'AURORA_LOG_TIMES';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /gm;

/** A log without its times, to read messages of several lines. */
export const withoutTimes = (log: string): string => log.replace(TIME, '');
