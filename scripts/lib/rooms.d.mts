/** The folders of src, each with those that it may import. */
export const ROOMS: Record<string, readonly string[]>;
/** What pages may import. */
export const PURE: readonly string[];
