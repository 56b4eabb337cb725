"""The customers' portal: asking, following and answering requests; registering and getting back in."""
