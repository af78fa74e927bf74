"""The console in Chromium: each script of browser/ is a test. In every one of them: no error or warning on the page's console, no
request to anywhere but the console, nothing serious for axe, nothing that the Content-Security-Policy had to refuse."""

import unittest

from console import scenario
from harness import world


class BrowserTest(world.WorldCase):

    def test_an_empty_project_becomes_an_image_by_clicks_and_one_push(self):
        scenario.run(self.world, "first_build")

    def test_builds_by_hand_of_branches_dockerfiles_and_archives(self):
        scenario.run(self.world, "manual")

    def test_builds_are_cancelled_fail_visibly_and_are_built_again(self):
        scenario.run(self.world, "ends")

    def test_a_log_of_100000_lines_opens_within_two_seconds_and_scrolls(self):
        scenario.run(self.world, "large_log")

    def test_what_people_write_never_becomes_markup(self):
        scenario.run(self.world, "injection")

    def test_everything_works_by_keyboard_and_by_role(self):
        scenario.run(self.world, "keyboard")

    def test_every_page_in_light_and_dark_and_375_pixels_wide(self):
        scenario.run(self.world, "pages")


if __name__ == "__main__":
    unittest.main()
