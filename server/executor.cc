// Placeholder: filled in by the commit that brings this part.
