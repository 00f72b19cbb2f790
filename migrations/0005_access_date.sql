-- The opening of a school year, staggered: from which day (YYYY-MM-DD) pupils get into services by what they are enrolled
-- in that year. An empty uai means every school, an empty level every level, an empty class_label every class: a key that
-- may hold NULL would keep nothing apart.
CREATE TABLE access_date (
    year BIGINT NOT NULL,
    uai TEXT NOT NULL,
    level TEXT NOT NULL,
    class_label TEXT NOT NULL,
    opens_on TEXT NOT NULL,
    PRIMARY KEY (year, uai, level, class_label),
    CHECK (class_label = '' OR (uai <> '' AND level = ''))
);
