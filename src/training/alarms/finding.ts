import type { Alarm } from '../../protocol/alarms/alarms';

/** A rule's observation; it is an alarm the first time. */
export type Finding = Alarm;

/** Steps whose median is judged: one odd batch does not matter, and three of five do. */
export const RECENT_STEPS = 5;
