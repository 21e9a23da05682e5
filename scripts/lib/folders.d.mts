/** The folders of src, each with those that it may import. */
export const FOLDERS: Record<string, readonly string[]>;
/** The folders that pages may import. */
export const PURE: readonly string[];
