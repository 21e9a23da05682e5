export function makePackage(target: string): Promise<string>;
export function packagePath(target: string): string;
