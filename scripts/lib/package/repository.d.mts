export interface Pages {
  images: string;
  links: string;
}
export function repositoryPages(manifest: { repository?: string | { url?: string } }): Pages | undefined;
