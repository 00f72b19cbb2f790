-- The requests of one browser that wait are counted at every new one.
CREATE INDEX upstream_request_browser ON upstream_request (browser);
