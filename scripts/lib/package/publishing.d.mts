export function isPreRelease(version: string): boolean;
export function missingForPublishing(root: string, manifest: object, preRelease: boolean): string[];
