// Opens every archive of regions in a folder in the ROI manager, and prints a line for each region.
folder = getArgument();
names = getFileList(folder);
newImage("frame", "8-bit", 640, 480, 1);
for (i = 0; i < names.length; i++) {
    roiManager("reset");
    roiManager("open", folder + "/" + names[i]);
    for (k = 0; k < roiManager("count"); k++) {
        roiManager("select", k);
        getSelectionBounds(x, y, width, height);
        getStatistics(area);
        print("region|" + Roi.getName + "|" + x + "|" + y + "|" + width + "|" + height + "|" + area + "|" + Roi.getType
            + "|" + Roi.getStrokeColor + "|" + Roi.getProperty("cause"));
    }
}
