import type { Alarm } from '../../protocol/alarms/alarms';

/** What a rule observed; it is an alarm the first time. */
export type Finding = Alarm;

/** Steps whose median is judged: one odd batch is no trouble, and three of five are. */
export const RECENT_STEPS = 5;
