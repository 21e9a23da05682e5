/** A git commit as git abbreviates it. */
export const shortCommit = (commit: string): string => commit.slice(0, 10);
